#!/usr/bin/env bash
# h2spec, the conformance suite of RFC 7540 and 7541, against balancerd over TLS: all of its 146 cases must pass.
set -euo pipefail
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'kill ${pid:-} ${reserve_PID:-} 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$tmp"' EXIT
go build -o "$tmp/balancerd" ./cmd/balancerd
GOBIN="$tmp" go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
# A socket that is bound and never listens keeps the port for the server, which sets SO_REUSEADDR as well.
coproc reserve { exec python3 -c '
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
sys.stdin.read()'; }
read -r port <&"${reserve[0]}"
mkdir "$tmp/docs"
head -c 2000 /dev/zero | tr '\0' x >"$tmp/docs/index.html"
chmod -R a+rX "$tmp"
cat >"$tmp/httpd.conf" <<CONF
ServerRoot $tmp
PidFile $tmp/httpd.pid
ErrorLog $tmp/error.log
ServerName localhost
Listen 127.0.0.1:$port
$(for m in mpm_event authz_core dir ssl http2; do echo "LoadModule ${m}_module modules/mod_$m.so"; done)
DocumentRoot $tmp/docs
Protocols h2 http/1.1
SSLEngine On
SSLCertificateFile $PWD/testdata/tls/pki/site.pem
SSLCertificateKeyFile $PWD/testdata/tls/pki/site.key
CONF
"$tmp/balancerd" -f "$tmp/httpd.conf" -DFOREGROUND &
pid=$!
for _ in $(seq 100); do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
"$tmp/h2spec" -h 127.0.0.1 -p "$port" -t -k -P /index.html -S -o 4 >"$tmp/out" || true
tail -3 "$tmp/out"
failed=$(sed -n 's/^[0-9]* tests, .* \([0-9]*\) failed$/\1/p' "$tmp/out")
if [ "${failed:-99}" -gt "${H2SPEC_FAILED:-0}" ]; then
    grep -a -A4 '×' "$tmp/out"
    exit 1
fi
