package ssl

import (
	"encoding/pem"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

func appendFile(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := pem.Encode(f, &pem.Block{Type: kind, Bytes: der}); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedWords(t *testing.T) {
	a := newAuthority(t, "CA")
	for conf, want := range map[string]string{
		"SSLEngine maybe":                                                  "Argument must be On or Off",
		"SSLEngine optional":                                               "",
		"SSLCertificateFile DIR/nope.pem":                                  "SSLCertificateFile: file 'DIR/nope.pem' does not exist or is empty",
		"SSLCACertificateFile DIR/nope.pem":                                "SSLCACertificateFile: file 'DIR/nope.pem' does not exist or is empty",
		"SSLCACertificatePath /nope":                                       "SSLCACertificatePath: directory '/nope' does not exist",
		"SSLProtocol foo":                                                  "SSLProtocol: Illegal protocol 'foo'",
		"SSLProtocol SSLv2":                                                "SSLProtocol: SSLv2 is no longer supported",
		"SSLProxyProtocol SSLv2":                                           "SSLProtocol: SSLv2 is no longer supported",
		"SSLProtocol SSLv3":                                                "SSLv3 not supported by this version of OpenSSL",
		"SSLProtocol -SSLv2 ALL -SSLv3 +TLSv1.3":                           "",
		"SSLVerifyClient foo":                                              "SSLVerifyClient: Invalid argument 'foo'",
		"SSLVerifyClient ON":                                               "",
		"SSLVerifyDepth x":                                                 "",
		"SSLVerifyDepth -1":                                                "SSLVerifyDepth: Invalid argument '-1'",
		"SSLOptions foo":                                                   "SSLOptions: Illegal option 'foo'",
		"SSLOptions ExportBase64CertData":                                  "SSLOptions: Illegal option 'ExportBase64CertData'",
		"SSLOptions +stdenvvars -ExportCertData":                           "",
		"SSLProxyVerify foo":                                               "SSLProxyVerify: Invalid argument 'foo'",
		"SSLProxyCheckPeerName x":                                          "SSLProxyCheckPeerName must be On or Off",
		"SSLCipherSuite FOO x":                                             "protocol 'FOO' not supported",
		"SSLCipherSuite foo":                                               "",
		"SSLCARevocationCheck foo":                                         "SSLCARevocationCheck: Invalid argument 'foo'",
		"SSLCARevocationCheck":                                             "SSLCARevocationCheck: Invalid argument ''",
		"SSLCARevocationCheck leaf foo":                                    "SSLCARevocationCheck: Invalid argument 'foo'",
		"SSLSessionCache shmcb:x(5)":                                       "SSLSessionCache: Invalid argument: size has to be >= 8192 bytes",
		"SSLSessionCache shmcb:x()":                                        "SSLSessionCache: Invalid argument: size has to be >= 8192 bytes",
		"SSLSessionCache shmcb:x(8192)":                                    "",
		"SSLSessionCache shmcb:x(1)(8192)":                                 "",
		"SSLSessionCache shmcb:x(8192k)":                                   "SSLSessionCache: Invalid argument: cache size not numerical",
		"SSLSessionCache shmcb:x(8192)y":                                   "SSLSessionCache: Invalid argument: no closing parenthesis or cache size missing after pathname with parenthesis",
		"SSLSessionCache default:x)":                                       "SSLSessionCache: Invalid argument: no opening parenthesis",
		"SSLSessionCache shmcb:x(-1)":                                      "SSLSessionCache: Invalid argument: size has to be < 4294967295 bytes on this platform",
		"SSLSessionCache NONE":                                             "",
		"SSLStaplingCache shmcb:x(5)":                                      "SSLStaplingCache: Invalid argument: size has to be >= 8192 bytes",
		"SSLOpenSSLConfCmd x y":                                            "'x': invalid OpenSSL configuration command",
		"SSLOpenSSLConfCmd curves P-256":                                   "",
		"SSLRandomSeed startup builtin":                                    "",
		"SSLRandomSeed x builtin":                                          "SSLRandomSeed: invalid context: `x'",
		"SSLRandomSeed startup builtin 512":                                "SSLRandomSeed: byte specification not allowed for builtin seed source",
		"SSLRandomSeed connect file:/dev/urandom -1":                       "SSLRandomSeed: invalid number of bytes specified",
		"SSLRandomSeed CONNECT file:/dev/urandom 512":                      "",
		"SSLRandomSeed startup egd:/run/egd":                               "Invalid SSLRandomSeed entropy source `egd:/run/egd': This version of OpenSSL does not support the Entropy Gathering Daemon (EGD).",
		"SSLSessionCache foo:x":                                            "SSLSessionCache: 'foo' session cache not supported (known names: default,shmcb). Maybe you need to load the appropriate socache module (mod_socache_foo?).",
		"SSLOpenSSLConfCmd Options -SessionTicket":                         "",
		"SSLOpenSSLConfCmd VerifyMode Require":                             "SSLOpenSSLConfCmd VerifyMode is not obeyed here: say it with SSLVerifyClient",
		"SSLOCSPEnable maybe":                                              "SSLOCSPEnable: Invalid argument 'maybe'",
		"SSLOCSPEnable on no_ocsp_for_cert_ok":                             "",
		"SSLOCSPEnable leaf x":                                             "SSLOCSPEnable: Invalid argument 'x'",
		"SSLOCSPResponseMaxAge -1":                                         "SSLOCSPResponseMaxAge: invalid argument",
		"SSLStaplingErrorCacheTimeout -1":                                  "SSLStaplingErrorCacheTimeout: invalid argument",
		"SSLStaplingCache foo:x":                                           "SSLStaplingCache: 'foo' stapling cache not supported (known names: default,shmcb) Maybe you need to load the appropriate socache module (mod_socache_foo?)",
		"SSLSessionCacheTimeout -1":                                        "SSLSessionCacheTimeout: Invalid argument",
		"SSLPassPhraseDialog foo":                                          "SSLPassPhraseDialog: Invalid argument",
		"SSLPassPhraseDialog exec:/nope":                                   "SSLPassPhraseDialog: file '/nope' does not exist",
		"SSLVHostSNIPolicy foo":                                            "Invalid SSLVhostSNIPolicy argument 'foo'",
		"<Location />\nSSLRequire foo\n</Location>":                        "SSLRequire: syntax error, unexpected $end, expecting '('",
		"<Location />\nSSLCipherSuite TLSv1.3 x\n</Location>":              "TLSv1.3 ciphers cannot be set inside a directory context",
		"<Location />\nSSLCACertificateFile DIR/CA.pem\n</Location>":       "Your SSL library does not have support for per-directory CA",
		"<VirtualHost *:80>\nSSLVHostSNIPolicy secure\n</VirtualHost>":     "SSLVHostSNIPolicy cannot occur within <VirtualHost> section",
		"SSLEngine On\n<Location />\nSSLVerifyClient require\n</Location>": "",
	} {
		in := func(s string) string { return strings.ReplaceAll(s, "DIR", a.dir) }
		if got := sitetest.Refused(preload, in(conf), modules()...); got != in(want) {
			t.Errorf("%s: %q, want %q", conf, got, want)
		}
	}
}

// started is what a start says is wrong.
func started(conf string) string {
	c, err := sitetest.Bind(preload, conf, modules()...)
	if err == nil {
		_, err = site.Build(c, modules(), site.Options{})
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestStartsThatFail(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site")
	a.leaf("other")
	os.WriteFile(filepath.Join(a.dir, "junk"), []byte("junk"), 0o600)
	for conf, want := range map[string]string{
		"SSLEngine On": "AH02572: Failed to configure at least one certificate and key for localhost:",
		"SSLEngine On\nSSLCertificateFile DIR/junk":                                                      "AH02562: ",
		"SSLEngine On\nSSLCertificateFile DIR/site.pem":                                                  "AH02564: ",
		"SSLEngine On\nSSLCertificateFile DIR/site.pem\nSSLCertificateKeyFile DIR/other.key":             "AH02565: ",
		engine + "SSLProtocol -all":                                                                      "AH02231: ",
		engine + "SSLCipherSuite RC4":                                                                    "AH01898: ",
		engine + "SSLCACertificateFile DIR/junk":                                                         "AH02210: ",
		engine + "SSLCARevocationCheck chain":                                                            "AH01899: ",
		engine + "SSLCARevocationCheck chain\nSSLCARevocationFile DIR/junk":                              "AH01901: ",
		engine + "SSLUseStapling On":                                                                     "AH01958: ",
		engine + "SSLSessionTicketKeyFile DIR/junk":                                                      "AH02287: ",
		"SSLCertificateFile DIR/site.pem\n":                                                              "",
		"Listen 127.0.0.1:443\n<VirtualHost 127.0.0.1:443>\nSSLCertificateFile DIR/junk\n</VirtualHost>": "AH02562: ",
		"Listen 127.0.0.1:8443 https\n<VirtualHost *:8443>\nSSLEngine Off\nSSLCertificateFile DIR/junk\n</VirtualHost>": "",
	} {
		got := started(strings.ReplaceAll(conf, "DIR", a.dir))
		if !strings.HasPrefix(got, want) || want == "" && got != "" || want != "" && !strings.HasSuffix(got, "AH00016: Configuration Failed") {
			t.Errorf("%s: %q, want %q", conf, got, want)
		}
	}
}

func TestEncryptedKeys(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl to encrypt keys with")
	}
	a := newAuthority(t, "CA")
	a.leaf("site")
	for _, args := range [][]string{
		{"pkcs8", "-topk8", "-in", "site.key", "-passout", "pass:secret", "-out", "enc.key"},
		{"ec", "-in", "site.key", "-aes256", "-passout", "pass:secret", "-out", "enc.key"},
		{"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-in", "site.key", "-passout", "pass:secret", "-out", "enc.key"},
	} {
		cmd := exec.Command(openssl, args...)
		cmd.Dir = a.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		conf := "SSLEngine On\nSSLCertificateFile DIR/site.pem\nSSLCertificateKeyFile DIR/enc.key\n"
		for dialog, want := range map[string]string{"secret": "", "wrong": "AH02580: ", "": "AH02577: "} {
			line := ""
			if dialog != "" {
				os.WriteFile(filepath.Join(a.dir, "ask"), []byte("#!/bin/sh\ntest \"$1\" = localhost:443:0 && echo "+dialog+"\n"), 0o700)
				line = "SSLPassPhraseDialog exec:DIR/ask\n"
			}
			got := started(strings.ReplaceAll(line+conf, "DIR", a.dir))
			if !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%v, %q: %q", args, dialog, got)
			}
		}
	}
}

func TestCipherLists(t *testing.T) {
	for _, c := range []struct {
		list, want string
		missing    int
	}{
		{"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-SHA256", 0},
		{"HIGH:!aNULL:!ECDHE:!kRSA", "", 0},
		{"kRSA+AESGCM", "AES256-GCM-SHA384 AES128-GCM-SHA256", 0},
		{"AES128-SHA:!AES128:AES128-SHA", "", 0},
		{"AES128-SHA:-AES128:AES128-SHA", "AES128-SHA", 0},
		{"CHACHA20+ECDSA,DHE-RSA-AES128-SHA:+HIGH", "ECDHE-ECDSA-CHACHA20-POLY1305", 1},
		{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", 0},
		{"DHE:RC4:3DES", "", 0},
	} {
		l := parseCiphers(c.list)
		var names []string
		for _, s := range suites {
			if slices.Contains(l.ids, s.id) {
				names = append(names, s.name)
			}
		}
		if got := strings.Join(names, " "); got != c.want || len(l.missing) != c.missing {
			t.Errorf("%s: %s, %v", c.list, got, l.missing)
		}
	}
	if n := len(parseCiphers("HIGH:MEDIUM:!aNULL:+SHA1:+MD5:+HIGH:+MEDIUM").ids); n != len(suites)-3 {
		t.Errorf("HIGH is %d suites", n)
	}
}

func TestOptionsMerge(t *testing.T) {
	set := func(text string) options {
		c, err := sitetest.Bind(preload, "SSLOptions "+text+"\n", modules()...)
		if err != nil {
			t.Fatal(err)
		}
		return dirs.Merged(c.Main).options
	}
	for _, c := range []struct {
		outer, inner string
		want         option
	}{
		{"+StdEnvVars", "+ExportCertData", stdEnvVars | exportCertData},
		{"StdEnvVars", "ExportCertData", exportCertData},
		{"+StdEnvVars +StrictRequire", "-StdEnvVars", strictRequire},
		{"StdEnvVars +ExportCertData", "+StrictRequire", stdEnvVars | exportCertData | strictRequire},
	} {
		if got := set(c.inner).over(set(c.outer)); got.on != c.want {
			t.Errorf("%s in %s: %b", c.inner, c.outer, got.on)
		}
	}
}

// elsewhere has files under another name than the configuration's.
type elsewhere struct {
	directive.OSFiles
	from, to string
	asked    *[]string
}

func (e elsewhere) moved(path string) string {
	*e.asked = append(*e.asked, strings.TrimPrefix(path, e.from+"/"))
	return strings.Replace(path, e.from, e.to, 1)
}

func (e elsewhere) Stat(path string) (fs.FileInfo, error) { return e.OSFiles.Stat(e.moved(path)) }
func (e elsewhere) ReadFile(path string) ([]byte, error)  { return e.OSFiles.ReadFile(e.moved(path)) }
func (e elsewhere) ReadDir(path string) ([]fs.DirEntry, error) {
	return e.OSFiles.ReadDir(e.moved(path))
}
func (e elsewhere) Output(program, word string) ([]byte, error) {
	return e.OSFiles.Output(e.moved(program), word)
}

// All files come from the configuration's file system: what has no rights there is never opened directly.
func TestFilesComeFromTheConfigurationsFileSystem(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site")
	os.Mkdir(a.dir+"/folder", 0o755)
	conf := "ServerName localhost\nListen 127.0.0.1:80\nLoadModule ssl_module x\nLoadModule proxy_module x\n" + engine +
		"SSLCACertificatePath DIR/folder\nSSLVerifyClient optional\nSSLProxyEngine On\nSSLProxyCACertificateFile DIR/CA.pem\nSSLProxyMachineCertificatePath DIR/folder\n"
	tree, err := apacheconf.ParseText("test.conf", strings.ReplaceAll(conf, "DIR", "/nowhere/at/all"), apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	files := elsewhere{from: "/nowhere/at/all", to: a.dir, asked: &asked}
	c, err := directive.Bind(tree, directive.Options{Files: files}, site.Tables(modules())...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.Build(c, modules(), site.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Secure([]*directive.Scope{c.Main}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"site.pem", "CA.pem", "folder"} {
		if !slices.Contains(asked, want) {
			t.Errorf("%s was not asked for: %v", want, asked)
		}
	}
}
