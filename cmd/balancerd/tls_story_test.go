package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// The stories of testdata/tls have the certificates of testdata/tls/pki. They add to TestTraffic's verbs:
//
//	get NAME/path [sni=N|-] [cert=FILE] [tls=1.2|1.3] [suite=NAME] [resume=LABEL] [show=cipher] [either]
//	               header lines may follow; resume= shares sessions by its label; either
//	               does not tell a 403 from a connection that is broken off
//	plain TEXT      what the TLS port answers to a plain request line
//	secure b1 cert=FILE [clients=FILE]   the member speaks TLS from now on
//	responder cert=FILE[,FILE…] [revoked=FILE,…] [key=FILE]   "openssl ocsp" answers at {ocsp:port} about these certificates
//	                until "silence"; key= is who signs in place of responder
//	log [sorted]    the lines of ROOT/access.log since it was last looked at
func TestSecureTraffic(t *testing.T) {
	t.Parallel()
	tellStories(t, "tls")
}

func pki(name string) string {
	path, _ := filepath.Abs("../../testdata/tls/pki")
	return filepath.Join(path, name)
}

func pkiPair(t *testing.T, name string) tls.Certificate {
	t.Helper()
	c, err := tls.LoadX509KeyPair(pki(name+".pem"), pki(strings.TrimSuffix(name, "-full")+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// words are KEY=VALUE pairs.
func pairsOf(words []string) map[string]string {
	out := map[string]string{}
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		out[k] = v
	}
	return out
}

var tlsVersions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// client is what a get's words ask for.
func (s *story) client(host string, with map[string]string) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true, ServerName: host, MinVersion: tls.VersionTLS10, Renegotiation: tls.RenegotiateFreelyAsClient}
	if n, ok := with["sni"]; ok {
		c.ServerName = strings.TrimPrefix(n, "-")
	}
	if v := tlsVersions[with["tls"]]; v != 0 {
		c.MinVersion, c.MaxVersion = v, v
	}
	if n := with["cert"]; n != "" {
		pair := pkiPair(s.t, n)
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	if n := with["suite"]; n != "" {
		for _, id := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			if id.Name == n {
				c.CipherSuites = []uint16{id.ID}
			}
		}
	}
	if l := with["resume"]; l != "" {
		if s.sessions[l] == nil {
			s.sessions[l] = tls.NewLRUClientSessionCache(0)
		}
		c.ClientSessionCache = oneSession{s.sessions[l]}
	}
	return c
}

// oneSession offers the same sessions to every server name: a client that tries tickets elsewhere.
type oneSession struct{ tls.ClientSessionCache }

func (c oneSession) Get(string) (*tls.ClientSessionState, bool)  { return c.ClientSessionCache.Get("") }
func (c oneSession) Put(_ string, state *tls.ClientSessionState) { c.ClientSessionCache.Put("", state) }

// get notes how the server's TLS answers, and the page.
func (s *story) get(head, rest string) {
	words := strings.Fields(head)
	host, path, _ := strings.Cut(words[1], "/")
	with := pairsOf(words[2:])
	fmt.Fprintf(&s.out, "> %s\n", head)
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", fmt.Sprintf("127.0.0.1:%d", s.port), s.client(host, with))
	if err != nil {
		fmt.Fprint(&s.out, "< refused\n\n")
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	raw := "GET /" + path + " HTTP/1.1\r\n"
	if !strings.Contains(strings.ToLower("\n"+rest), "\nhost:") {
		raw += "Host: " + host + "\r\n"
	}
	for _, f := range strings.Split(rest, "\n") {
		if f != "" {
			raw += f + "\r\n"
		}
	}
	io.WriteString(c, raw+"Connection: close\r\n\r\n")
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: "GET"})
	if _, either := with["either"]; either && (err != nil || r.StatusCode == 403) {
		fmt.Fprint(&s.out, "< kept out\n\n")
		return
	}
	if err != nil {
		fmt.Fprint(&s.out, "< refused\n\n")
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.note(c.ConnectionState(), with)
	s.answer(r, string(body))
}

// note says what the client knows of the connection.
func (s *story) note(cs tls.ConnectionState, with map[string]string) {
	var parts []string
	parts = append(parts, strings.Replace(tls.VersionName(cs.Version), "TLS ", "TLSv", 1))
	for _, c := range cs.PeerCertificates {
		parts = append(parts, c.Subject.CommonName+"/"+c.PublicKeyAlgorithm.String())
	}
	if cs.DidResume {
		parts = append(parts, "resumed")
	}
	if with["show"] == "cipher" {
		parts = append(parts, tls.CipherSuiteName(cs.CipherSuite))
	}
	if len(cs.OCSPResponse) > 0 {
		parts = append(parts, stapled(cs.OCSPResponse))
	}
	fmt.Fprintf(&s.out, "= %s\n", strings.Join(parts, " "))
}

// answer notes a response without what differs from run to run.
func (s *story) answer(r *http.Response, text string) {
	fmt.Fprintf(&s.out, "< %d\n", r.StatusCode)
	var lines []string
	for k, v := range r.Header {
		switch k {
		case "Date", "Server", "Etag", "Last-Modified", "Connection", "Keep-Alive", "Content-Length", "Accept-Ranges", "Upgrade":
		default:
			lines = append(lines, fmt.Sprintf("< %s: %s\n", k, strings.Join(v, " & ")))
		}
	}
	sort.Strings(lines)
	s.out.WriteString(s.plain(strings.Join(lines, "")) + certificates(s.plain(text)) + "\n")
}

// say sends a plain request line to the TLS port.
func (s *story) say(line string) {
	fmt.Fprintf(&s.out, "> plain %s\n", line)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(c, line+"\r\nHost: localhost\r\n\r\n")
	b, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(b), "HTTP/") {
		fmt.Fprint(&s.out, "< refused\n\n")
		return
	}
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(b))), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	s.answer(r, string(body))
}

// secure has a member speak TLS.
func (s *story) secure(name string, with map[string]string) {
	m := s.members[name]
	m.stop()
	c := &tls.Config{Certificates: []tls.Certificate{pkiPair(s.t, with["cert"])}}
	if file := with["clients"]; file != "" {
		c.ClientAuth, c.ClientCAs = tls.RequestClientCert, x509.NewCertPool()
		b, err := os.ReadFile(pki(file + ".pem"))
		if err != nil || !c.ClientCAs.AppendCertsFromPEM(b) {
			s.t.Fatal("no certificates in ", file, err)
		}
	}
	if v := tlsVersions[with["tls"]]; v != 0 {
		c.MinVersion, c.MaxVersion = v, v
	}
	m.mu.Lock()
	m.tls = c
	m.mu.Unlock()
	m.start()
}

// accessLog is the access log once nothing has come for a while: lines are written a moment after the answer.
func (s *story) accessLog() (b []byte) {
	const quiet = 15 // looks
	for same := 0; same < quiet; time.Sleep(10 * time.Millisecond) {
		now, err := os.ReadFile(s.root + "/access.log")
		if err != nil {
			s.t.Fatal(err)
		}
		same++
		if len(now) != len(b) {
			b, same = now, 0
		}
	}
	return b
}

// lines notes what the access log got, in alphabetical order if need be: exchanges of different connections
// may be logged in any order.
func (s *story) lines(sorted bool) {
	b := s.accessLog()
	text := s.plain(string(b[s.read:]))
	if sorted {
		list := strings.SplitAfter(text, "\n")
		sort.Strings(list)
		text = strings.Join(list, "")
	}
	fmt.Fprintf(&s.out, "> log\n%s\n", text)
	s.read = len(b)
}

// certificates are put in place of their text: PEM file contents become <NAME>.
func certificates(text string) string {
	return pemText.ReplaceAllStringFunc(text, func(block string) string {
		clean := strings.NewReplacer(" ", "\n", "-----BEGIN CERTIFICATE-----", "", "-----END CERTIFICATE-----", "").Replace(block)
		p, _ := pem.Decode([]byte("-----BEGIN CERTIFICATE-----\n" + strings.TrimSpace(clean) + "\n-----END CERTIFICATE-----\n"))
		if p == nil {
			return block
		}
		c, err := x509.ParseCertificate(p.Bytes)
		if err != nil {
			return block
		}
		return "<" + c.Subject.CommonName + ">" + block[len(block)-1:]
	})
}

var pemText = regexp.MustCompile(`-----BEGIN CERTIFICATE-----[A-Za-z0-9+/= \n]*-----END CERTIFICATE-----[ \n]`)

// responder starts OpenSSL's OCSP server. It takes the place of the one before.
func (s *story) responder(with map[string]string) {
	s.silence()
	var index strings.Builder
	for kind, list := range map[string]string{"V\t%s\t\t%X\tunknown\t/CN=x\n": with["cert"], "R\t%s\t200102030405Z\t%X\tunknown\t/CN=x\n": with["revoked"]} {
		for _, name := range strings.Split(list, ",") {
			if name != "" {
				c := pkiPair(s.t, name).Leaf
				fmt.Fprintf(&index, strings.Replace(kind, "%X", "%04X", 1), "491231235959Z", c.SerialNumber)
			}
		}
	}
	file, signer := filepath.Join(s.root, "index"), "responder"
	if with["key"] != "" {
		signer = with["key"]
	}
	if err := os.WriteFile(file, []byte(index.String()), 0o644); err != nil {
		s.t.Fatal(err)
	}
	os.WriteFile(file+".attr", []byte("unique_subject = no\n"), 0o644)
	port := s.member("ocsp").port
	s.member("ocsp").stop()
	cmd := exec.Command("openssl", "ocsp", "-port", fmt.Sprint(port), "-index", file, "-CA", pki("ca.pem"), "-rsigner", pki(signer+".pem"), "-rkey", pki(signer+".key"),
		"-nmin", "10", "-ignore_err")
	said, _ := cmd.StderrPipe()
	if err := cmd.Start(); err != nil {
		s.t.Skip("no openssl to ask: ", err)
	}
	s.asked = cmd.Process
	s.t.Cleanup(s.silence)
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "waiting for") { // a connection that asks nothing would hold it up
	}
	go io.Copy(io.Discard, said)
}

// silence ends the OCSP server.
func (s *story) silence() {
	if s.asked != nil {
		s.asked.Kill()
		s.asked.Wait()
		s.asked = nil
	}
}

// stapled is what an OCSP answer says.
func stapled(der []byte) string {
	var refused ocsp.ResponseError
	a, err := ocsp.ParseResponse(der, nil)
	switch {
	case errors.As(err, &refused):
		return "stapled:" + strings.ReplaceAll(refused.Status.String(), " ", "")
	case err != nil:
		return "stapled:garbage"
	}
	return "stapled:" + map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked", ocsp.Unknown: "unknown"}[a.Status]
}
