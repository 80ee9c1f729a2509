package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The stories of testdata/http2 add to TestTraffic's verbs:
//
//	h2 METHOD /path   with header lines and |body: in clear text, by the preface alone
//	h2all METHOD /path  the same with every field that comes back
//	alpn NAME [offer=h2,http/1.1] [tls=1.2] [suite=NAME]   what is chosen, and the status of / in that protocol
//	upgrade /path     with header lines: by Upgrade: h2c
func TestHTTP2Traffic(t *testing.T) {
	t.Parallel()
	tellStories(t, "http2")
}

// two is one exchange on a connection of its own.
func (s *story) two(head, rest string) {
	fields, body, hasBody := strings.Cut(rest, "|")
	words := strings.Fields(head)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(&s.out, "> %s\n", head)
	list := []string{":method", words[1], ":scheme", "http", ":authority", "localhost", ":path", strings.ReplaceAll(words[2], "LONG", strings.Repeat("a", 9000))}
	for _, f := range strings.Split(strings.TrimSpace(fields), "\n") {
		name, value, ok := strings.Cut(f, ": ")
		if !ok {
			continue
		}
		value = strings.ReplaceAll(value, "LONG", strings.Repeat("a", 9000))
		if name == ":authority" {
			list[5] = value
			continue
		}
		list = append(list, name, value)
	}
	io.WriteString(c, http2.ClientPreface)
	fr := framer(c)
	fr.WriteSettings(noPush)
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(list), EndHeaders: true, EndStream: !hasBody})
	if hasBody {
		fr.WriteData(1, true, []byte(body))
	}
	s.stream(c, fr)
}

// noPush keeps httpd from pushing, which nobody else does any more.
var noPush = http2.Setting{ID: http2.SettingEnablePush, Val: 0}

func framer(c net.Conn) *http2.Framer {
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fr := http2.NewFramer(c, c)
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return fr
}

func block(list []string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(list); i += 2 {
		e.WriteField(hpack.HeaderField{Name: list[i], Value: list[i+1]})
	}
	return b.Bytes()
}

// stream notes what comes on stream 1.
func (s *story) stream(c net.Conn, fr *http2.Framer) {
	var body strings.Builder
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			fmt.Fprintf(&s.out, "< closed\n\n")
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				fr.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			s.fields(f)
		case *http2.DataFrame:
			body.Write(f.Data())
		case *http2.RSTStreamFrame:
			fmt.Fprintf(&s.out, "< reset\n\n")
			return
		}
		if e, ok := f.(interface{ StreamEnded() bool }); ok && e.StreamEnded() {
			s.out.WriteString(s.plain(body.String()) + "\n")
			fr.WriteGoAway(0, http2.ErrCodeNo, nil)
			return
		}
	}
}

func (s *story) fields(f *http2.MetaHeadersFrame) {
	var lines []string
	for _, h := range f.Fields {
		if s.all && h.Name != ":status" {
			lines = append(lines, "< "+plainField(h.Name+": "+h.Value)+"\n")
			continue
		}
		switch h.Name {
		case "date", "server", "etag", "last-modified", "accept-ranges", ":status", "content-length":
		default:
			lines = append(lines, "< "+plainField(h.Name+": "+h.Value)+"\n")
		}
	}
	sort.Strings(lines)
	if status := f.PseudoValue("status"); status != "" {
		fmt.Fprintf(&s.out, "< %s\n", status)
	} else {
		s.out.WriteString("< trailer\n")
	}
	s.out.WriteString(s.plain(strings.Join(lines, "")))
}

// alpn notes which protocol a TLS client gets, and how it is answered in it.
func (s *story) alpn(host string, with map[string]string) {
	cfg := s.client(host, with)
	if o := with["offer"]; o != "" {
		cfg.NextProtos = strings.Split(o, ",")
	}
	fmt.Fprintf(&s.out, "> alpn %s %s %s %s\n", host, with["offer"], with["tls"], with["suite"])
	c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), cfg)
	if err != nil {
		fmt.Fprintf(&s.out, "< refused\n\n")
		return
	}
	defer c.Close()
	chosen := c.ConnectionState().NegotiatedProtocol
	fmt.Fprintf(&s.out, "= %q\n", chosen)
	if chosen == "h2" {
		io.WriteString(c, http2.ClientPreface)
		fr := framer(c)
		fr.WriteSettings(noPush)
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true,
			BlockFragment: block([]string{":method", "GET", ":scheme", "https", ":authority", host, ":path", "/alpn"})})
		s.stream(c, fr)
		return
	}
	fmt.Fprintf(c, "GET /alpn HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		fmt.Fprintf(&s.out, "< closed\n\n")
		return
	}
	text, _ := io.ReadAll(r.Body)
	s.answer(r, string(text))
}

// upgrade asks by HTTP/1.1 for h2c, and goes on in HTTP/2 when it gets it.
func (s *story) upgrade(path, rest string) {
	fmt.Fprintf(&s.out, "> upgrade %s\n", path)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fields, body, hasBody := strings.Cut(rest, "|")
	if !strings.Contains(fields, "Connection:") {
		fields += "\nConnection: Upgrade, HTTP2-Settings"
	}
	if hasBody {
		fields += fmt.Sprintf("\nContent-Length: %d", len(body))
	}
	raw := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
	for f := range strings.SplitSeq(strings.TrimSpace(fields), "\n") {
		if f != "" {
			raw += f + "\r\n"
		}
	}
	io.WriteString(c, raw+"\r\n"+body)
	in := bufio.NewReader(c)
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		fmt.Fprintf(&s.out, "< closed\n\n")
		return
	}
	if r.StatusCode != 101 {
		io.Copy(io.Discard, r.Body)
		fmt.Fprintf(&s.out, "< %d\n\n", r.StatusCode)
		return
	}
	fmt.Fprintf(&s.out, "< 101 %s, %s\n", r.Header.Get("Connection"), r.Header.Get("Upgrade"))
	io.WriteString(c, http2.ClientPreface)
	fr := http2.NewFramer(c, in)
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	fr.WriteSettings(noPush)
	s.stream(c, fr)
}

// A reload and a stop let HTTP/2's streams end, and say GOAWAY.
func TestHTTP2EndsGracefully(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGWINCH} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := newInstance(t)
			p.conf("LoadModule http2_module modules/mod_http2.so\nProtocols h2c http/1.1\n" + passAll)
			p.start()
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, http2.ClientPreface)
			fr := framer(c)
			fr.WriteSettings(noPush)
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true,
				BlockFragment: block([]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/wait/700ms"})})
			p.underWay()
			p.signal(sig)
			said, status := false, ""
			for {
				f, err := fr.ReadFrame()
				if err != nil {
					break
				}
				switch f := f.(type) {
				case *http2.GoAwayFrame:
					said = said || f.ErrCode == http2.ErrCodeNo
				case *http2.MetaHeadersFrame:
					status = f.PseudoValue("status")
				}
			}
			if !said || status != "200" {
				t.Error(sig, said, status)
			}
			if sig == syscall.SIGWINCH {
				if exit := p.exit(); exit != 0 {
					t.Error("exit", exit)
				}
			}
		})
	}
}

// curl is a stranger's HTTP/2, where it has it.
func TestHTTP2ByCurl(t *testing.T) {
	t.Parallel()
	v, err := exec.Command("curl", "--version").Output()
	if err != nil || !bytes.Contains(v, []byte("HTTP2")) {
		t.Skip("no curl with HTTP/2")
	}
	p := newInstance(t)
	p.conf("LoadModule http2_module modules/mod_http2.so\nProtocols h2c http/1.1\n" + passAll)
	p.start()
	big := filepath.Join(p.root, "big")
	os.WriteFile(big, bytes.Repeat([]byte("x"), 3<<20), 0o644)
	for _, args := range [][]string{{"--http2-prior-knowledge"}, {"--http2"}, {"--http2-prior-knowledge", "-T", big}, {"--http1.1"}} {
		out, err := exec.Command("curl", append(args, "-s", "-m", "20", "-w", " %{http_version} %{http_code}", p.url("/x"))...).CombinedOutput()
		want := "member /x 2 200"
		if args[0] == "--http1.1" {
			want = "member /x 1.1 200"
		}
		if string(out) != want || err != nil {
			t.Errorf("%v: %s %v", args, out, err)
		}
	}
}

// A stream that its client gives up ends the member's exchange at once, and the member is not to blame.
func TestHTTP2ResetReachesTheMember(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked, over := make(chan bool, 1), make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		http.ReadRequest(in)
		asked <- true
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = in.ReadByte()
		over <- err
	}()
	p := newInstance(t)
	p.conf("LoadModule http2_module modules/mod_http2.so\nProtocols h2c http/1.1\n" +
		"<Proxy balancer://b>\nBalancerMember http://" + l.Addr().String() + "\nProxySet failonstatus=502\n</Proxy>\nProxyPass / balancer://b/\n")
	p.start()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, http2.ClientPreface)
	fr := framer(c)
	fr.WriteSettings()
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true,
		BlockFragment: block([]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/"})})
	<-asked
	fr.WriteRSTStream(1, http2.ErrCodeCancel)
	if err := <-over; err == nil || os.IsTimeout(err) {
		t.Error("the member was not told: ", err)
	}
	if log := p.read("error.log"); strings.Contains(log, "AH01174") || strings.Contains(log, "AH01102") {
		t.Error(log)
	}
}

// No request is lost over reloads, however often: what has begun ends, and what a client sends meanwhile is served, or the
// client knows that it was not (RFC 9113 section 6.8).
func TestHTTP2LosesNothingOverReloads(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err, strings.Repeat("x", 50000))
	}))
	p.conf("LoadModule http2_module modules/mod_http2.so\nProtocols h2c http/1.1\n" + passAll)
	p.start()
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	c := http.Client{Transport: tr, Timeout: 30 * time.Second}
	var over atomic.Bool
	var done atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := i * 3000; !over.Load(); n = (n + 7919) % 60000 {
				r, err := c.Post(p.url("/"), "text/plain", bytes.NewReader(make([]byte, n)))
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				if want := fmt.Sprint(n, error(nil)); err != nil || r.StatusCode != 200 || !strings.HasPrefix(string(body), want) || len(body) != len(want)+50000 {
					t.Errorf("%d %v %.30q", r.StatusCode, err, body)
					return
				}
				done.Add(1)
			}
		})
	}
	for i := range 12 {
		was := done.Load()
		p.reload(syscall.SIGUSR1)
		p.until("requests after a reload", func() bool { return done.Load() >= was+int64(10*(i%3)+1) || t.Failed() })
	}
	over.Store(true)
	wg.Wait()
}
