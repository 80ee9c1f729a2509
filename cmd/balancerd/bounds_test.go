package main

import (
	"os"
	"strings"
	"testing"
)

// TestBoundsAreTrue holds the README's table of bounds against the constants that make them: who
// changes one changes both.
func TestBoundsAreTrue(t *testing.T) {
	readme := read(t, "../../README.md")
	_, bounds, _ := strings.Cut(readme, "\n## Bounds\n")
	bounds, _, _ = strings.Cut(bounds, "\n## ")
	for _, c := range []struct{ says, file, code string }{
		{"a whole head 1 MiB", "proxy/internal/wire/request.go", "maxHead = 1 << 20"},
		{"| 107 bytes in version 1, 232 in version 2;", "proxy/internal/wire/proxyheader.go", "LongestProxyHeader = 107"},
		{"| 107 bytes in version 1, 232 in version 2;", "proxy/internal/wire/proxyheader.go", "proxyAddresses = 216"},
		{"10 empty lines", "proxy/internal/wire/request.go", "maxBlank = 10"},
		{"another attempt: 16 KiB", "proxy/backend/upload.go", "prefetch = 16384 - 80"},
		{"64 KiB a body each", "proxy/internal/wire/chunk.go", "maxExtensions = 64 << 10"},
		{"64 KiB a body each", "proxy/internal/wire/chunk.go", "maxTrailer = 64 << 10"},
		{"| 256 KiB; beyond it", "proxy/http1/server/exchange.go", "drainMost = 256 << 10"},
		{"| 1 MiB, 2 s |", "proxy/http1/server/exchange.go", "lingerTime = 2 * time.Second"},
		{"| 1 MiB, 2 s |", "proxy/http1/server/exchange.go", "lingerMost = 1 << 20"},
		{"| 64 KiB, and for 1,024 at a time a pipe of 256 KiB", "proxy/internal/sys/pipe_linux.go", "pipeSize = 256 << 10"},
		{"| 64 KiB, and for 1,024 at a time a pipe of 256 KiB", "proxy/internal/sys/pipe_linux.go", "mostPipes = 1024"},
		{"| 64 KiB, and", "proxy/http1/server/buffers.go", "pieceSize = 16 << 10"},
		{"resumed | 256 for", "proxy/mod/ssl/member.go", "mostMemberSessions = 256"},
		{"says so once a minute", "proxy/http1/server/accept_linux.go", "sayAgain = time.Minute"},
		{"16 KiB each way", "proxy/tunnel/relay.go", "bufferSize = 16 << 10"},
		{"(100), `H2WindowSize` (64 KiB), 256 KiB", "proxy/http2/server/conn.go", "defaultStreams = 100"},
		{"(100), `H2WindowSize` (64 KiB), 256 KiB", "proxy/http2/server/conn.go", "defaultWindow = 65535"},
		{"(100), `H2WindowSize` (64 KiB), 256 KiB", "proxy/http2/server/conn.go", "mostHeader = 256 << 10"},
		{"after 100 streams", "proxy/http2/server/conn.go", "mostBroken = 100"},
		{"1 MiB a connection", "proxy/http2/server/conn.go", "connWindow = 1 << 20"},
		{"128 KiB a connection", "proxy/http2/frames/output.go", "MaxOutput = 64 << 10"},
		{"128 KiB a stream", "proxy/http2/client/conn.go", "memberWindow = 128 << 10"},
		{"100 a connection, 128 KiB", "proxy/http2/client/conn.go", "memberStreams = 100"},
		{"| 24 KiB each; 24 MiB |", "cmd/balancerd/http2_crowd_test.go", "grown > 24<<20"},
		{"10,000 frames", "proxy/http2/frames/received.go", "mostFutile = 10000"},
		{"response; one line of it | 64 KiB", "proxy/internal/wire/response.go", "maxResponseHead = 64 << 10"},
		{"three in four", "proxy/backend/room.go", "roomShift = 2"},
		{"; 5 minutes, or `ttl=`", "proxy/backend/idle.go", "MaxIdle = 5 * time.Minute"},
		{"; 64 names, clients and sets", "proxy/backend/idle.go", "MaxKinds = 64"},
		{"8 KiB to 64 KiB; 10,000 in a row", "proxy/ajp/packet.go", "mostPacket = 65536"},
		{"8 KiB to 64 KiB; 10,000 in a row", "proxy/ajp/head.go", "mostFutile = 10000"},
		{"head of a CGI answer | 64 KiB, a line 8 KiB", "proxy/cgi/answer.go", "MostHead = 64 << 10"},
		{"head of a CGI answer | 64 KiB, a line 8 KiB", "proxy/cgi/answer.go", "MostLine = 8190"},
		{"| 1 MiB in a row; 100 lines about unknown records; a line of the log 8 KiB |", "proxy/fcgi/head.go", "mostIdle = 1 << 20"},
		{"| 1 MiB in a row; 100 lines about unknown records; a line of the log 8 KiB |", "proxy/fcgi/stderr.go", "mostLine = 8192"},
		{"| 1 MiB in a row; 100 lines about unknown records; a line of the log 8 KiB |", "proxy/fcgi/stderr.go", "mostBogus = 100"},
		{"| 256 KiB and 200 ms |", "proxy/backend/serialbody.go", "mostTail = 256 << 10"},
		{"| 256 KiB and 200 ms |", "proxy/backend/serialbody.go", "tailWait = 200 * time.Millisecond"},
		{"4,096 at most, of some 20 KiB", "proxy/backend/room.go", "mostProbes = 4096"},
		{"reads long; 1 MiB of a body", "proxy/mod/hcheck/request.go", "mostBody = 1 << 20"},
		{"in a file 4,096; 1,000 bytes each", "proxy/mod/heartbeat/storage.go", "mostStored = 4096"},
		{"in a file 4,096; 1,000 bytes each", "proxy/mod/heartbeat/report.go", "longestReport = 1000"},
		{"file the first MiB is read", "balancer/method/storage.go", "largestStorage = 1 << 20"},
		{"| 1,024 of a key's, 1,024 of a value's; 64 KiB |", "proxy/internal/dbm/berkeley.go", "mostChained = 1 << 10"},
		{"| 1,024 of a key's, 1,024 of a value's; 64 KiB |", "proxy/internal/dbm/berkeley.go", "largestValue = 64 << 10"},
		{"(1xx) answers of a member | 10 |", "proxy/backend/attempt.go", "maxInterim = 10"},
		{"| 4,096 each |", "proxy/hostname/cache.go", "maxNames = 4096"},
		{"compiled | 16 MiB in all", "proxy/site/keeper.go", "maxKept = 16 << 20"},
		{"64 KiB of text", "apacheconf/pattern/pattern.go", "maxSubject = 64 << 10"},
		{"50 ms", "apacheconf/pattern/pattern.go", "50 * time.Millisecond"},
		{"form | 64 KiB |", "manager/form.go", "longestForm = 64 << 10"},
		{"| 4 MiB a target", "proxy/log/sink/log.go", "bound = 4 << 20"},
		{"AuthGroupFile | 64 MiB |", "proxy/mod/auth/files.go", "maxUserFile = 64 << 20"},
		{"wait for it | one a processor; 1,024, of one", "proxy/mod/auth/queue.go", "mostWaiting = 1024"},
		{"(IPv6: /64) 256, in turn", "proxy/mod/auth/queue.go", "mostOfOne = 256"},
		{"one a processor;", "proxy/mod/auth/password.go", "newQueue(runtime.GOMAXPROCS(0))"},
		{"| 1,024 bytes; 16,384, for 5 minutes |", "proxy/mod/auth/password.go", "maxPassword = 1024"},
		{"| 1,024 bytes; 16,384, for 5 minutes |", "proxy/mod/auth/memory.go", "maxRemembered = 16384"},
		{"| 1,024 bytes; 16,384, for 5 minutes |", "proxy/mod/auth/memory.go", "rememberFor = 5 * time.Minute"},
		{"1 GiB, or what", "proxy/mod/cache/stores.go", "diskBytes = 1 << 30"},
		{"100,000 answers, 64 MiB of heads", "proxy/mod/cache/stores.go", "diskEntries = 100_000"},
		{"100,000 answers, 64 MiB of heads,", "proxy/mod/cache/stores.go", "diskHeads = 64 << 20"},
		{"32 MiB of short bodies", "proxy/cache/disk.go", "hotMost = 32 << 20"},
		{"else 512,000 bytes", "proxy/mod/cache/stores.go", "socacheSize = 512_000"},
		{"| 64; 64 MiB, what comes then", "proxy/cache/store.go", "Variants = 64"},
		{"| 64; 64 MiB, what comes then", "proxy/cache/disk.go", "queueMost = 64 << 20"},
		{"script | 8 MiB each; 67 million", "proxy/mod/sed/script.go", "mostSpace = 8 << 20"},
		{"each; 67 million and 4,096 a byte", "proxy/mod/sed/machine.go", "startSteps = 1 << 26 stepsPerByte = 1 << 12 mostSteps = 1 << 30"},
		{"read | 10 MiB |", "proxy/expr/file.go", "maxFile = 10 << 20"},
		{"| 16 MiB, a larger one", "proxy/mod/rewrite/textfile.go", "wholeMost = 16 << 20"},
		{"; 4,096 a map |", "proxy/mod/rewrite/textfile.go", "mostAsked = 4096"},
		{"program | 5 s, 1 MiB;", "proxy/mod/rewrite/program.go", "answerTime = 5 * time.Second"},
		{"program | 5 s, 1 MiB;", "proxy/mod/rewrite/program.go", "longestText = 1 << 20"},
		{"1 s to 1 minute", "proxy/mod/rewrite/program.go", "longestWait = time.Minute"},
		{"N | 32,000", "proxy/mod/rewrite/rule.go", "maxRounds = 32000"},
		{"number; 1 s |", "proxy/mod/rewrite/pass.go", "longest = time.Second"},
		{"| 128 deep", "apacheconf/include.go", "maxDepth = 128"},
		{"; 16 MiB |", "apacheconf/lines.go", "maxLine = 16 << 20"},
		{"| 1 MiB; 8 KiB; 100 |", "proxy/site/access.go", "maxAccessFile = 1 << 20"},
		{"| 1 MiB; 8 KiB; 100 |", "apacheconf/lines.go", "maxAccessLine = 8192"},
		{"| 1 MiB; 8 KiB; 100 |", "apacheconf/access.go", "maxNested = 100"},
		{"kept read | 16 MiB in all", "proxy/site/access.go", "maxAccessKept = 16 << 20"},
	} {
		if !strings.Contains(bounds, c.says) {
			t.Errorf("the README's bounds do not say %q", c.says)
		}
		if code := strings.Join(strings.Fields(read(t, "../../"+c.file)), " "); !strings.Contains(code, c.code) {
			t.Errorf("%s has no %q, which is why the README says %q", c.file, c.code, c.says)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
