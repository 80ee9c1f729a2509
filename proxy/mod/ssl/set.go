package ssl

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/expr"
)

type setter func(*directive.Scope, directive.Args) error

// existing is a file that must be there and hold something (httpd: ssl_engine_config.c ssl_cmd_check_file).
func existing(s *directive.Scope, a directive.Args) (string, error) {
	path := s.Config.Tree.Path(a.Words[0])
	if st, err := s.Config.Files.Stat(path); err != nil || st.Size() == 0 || !st.Mode().IsRegular() {
		return "", errors.New(a.Name + ": file '" + path + "' does not exist or is empty")
	}
	return path, nil
}

func setFile[T any](k *directive.Key[T], of func(*T) *directive.Opt[string]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		path, err := existing(s, a)
		if err == nil {
			of(k.In(s)).Set(path)
		}
		return err
	}
}

func setFolder[T any](k *directive.Key[T], of func(*T) *directive.Opt[string]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		path := s.Config.Tree.Path(a.Words[0])
		if st, err := s.Config.Files.Stat(path); err != nil || !st.IsDir() {
			return errors.New(a.Name + ": directory '" + path + "' does not exist")
		}
		of(k.In(s)).Set(path)
		return nil
	}
}

// setMachine is set for certificates that are shown to members, with a hint of what that costs.
func setMachine(set setter) setter {
	return func(s *directive.Scope, a directive.Args) error {
		if v := proxies.Merged(s.Server, s).protocol.Or(allVersions); v != tls13 && v&tls13 != 0 {
			s.Config.Hint(a, "TLS 1.2 is the newest version that is spoken to members that get a certificate: they may ask for it when they know the path. SSLProxyProtocol TLSv1.3 where they ask at once")
		}
		return set(s, a)
	}
}

// setAuthority: signers belong to servers, whatever httpd's table of contexts says.
func setAuthority(set setter) setter {
	return func(s *directive.Scope, a directive.Args) error {
		if !isServer(s) {
			return errors.New("Your SSL library does not have support for per-directory CA")
		}
		return set(s, a)
	}
}

func setFlag[T any](k *directive.Key[T], of func(*T) *directive.Opt[bool]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		of(k.In(s)).Set(a.On)
		return nil
	}
}

func isServer(s *directive.Scope) bool { return s.Kind&directive.Server != 0 }

func setEngine(s *directive.Scope, a directive.Args) error {
	on := strings.EqualFold(a.Words[0], "on")
	switch {
	case strings.EqualFold(a.Words[0], "optional"):
		s.Config.Hint(a, "SSLEngine optional is no longer supported, in httpd neither: it is taken as Off")
	case !on && !strings.EqualFold(a.Words[0], "off"):
		return errors.New("Argument must be On or Off")
	}
	servers.In(s).engine.Set(on)
	return nil
}

func setCertificate(of func(*serverSettings) *[]string) setter {
	return func(s *directive.Scope, a directive.Args) error {
		path, err := existing(s, a)
		if err != nil {
			return err
		}
		list := of(servers.In(s))
		*list = append(*list, path)
		return nil
	}
}

func setDialog(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	dialog := &servers.In(s).dialog
	word := a.Words[0]
	program, exec := strings.CutPrefix(word, "exec:")
	switch {
	case word == "builtin":
		*dialog = ""
	case exec && program != "":
		*dialog = s.Config.Tree.Path(program)
		if _, err := s.Config.Files.Stat(*dialog); err != nil {
			return errors.New("SSLPassPhraseDialog: file '" + *dialog + "' does not exist")
		}
	case word[0] == '|' && len(word) > 1:
		*dialog = ""
		s.Config.Hint(a, "SSLPassPhraseDialog with a pipe has no effect here: encrypted keys need exec:")
	default:
		return errors.New("SSLPassPhraseDialog: Invalid argument")
	}
	return nil
}

func setProtocol[T any](k *directive.Key[T], of func(*T) *directive.Opt[versions]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		v, overrides, err := parseVersions(a.Name, a.Raw)
		if err != nil {
			return err
		}
		for _, w := range overrides {
			s.Config.Warn(a.Pos, "ssl", "AH02532: "+a.Name+": Protocol '"+w+"' overrides already set parameter(s). Check if a +/- prefix is missing.")
		}
		if v&oldVersions != 0 && namesOld(a.Raw) {
			s.Config.Hint(a, "TLSv1 and TLSv1.1 are spoken only with @SECLEVEL=0 among the ciphers, as with OpenSSL 3")
		}
		of(k.In(s)).Set(v)
		return nil
	}
}

func namesOld(raw string) bool {
	for _, w := range apacheconf.Words(strings.ToLower(raw)) {
		if w = strings.TrimPrefix(w, "+"); w == "tlsv1" || w == "tlsv1.1" {
			return true
		}
	}
	return false
}

// cipherWords is the protocol and the list of an SSLCipherSuite, with hints of what can't be had
// (httpd: ssl_engine_config.c ssl_cmd_SSLCipherSuite).
func cipherWords(s *directive.Scope, a directive.Args) (list string, new bool, err error) {
	list = a.Words[0]
	if len(a.Words) > 1 {
		list = a.Words[1]
		switch a.Words[0] {
		case "SSL":
		case "TLSv1.3":
			if narrows13(list) {
				s.Config.Hint(a, a.Name+" TLSv1.3: which of the three suites of TLS 1.3 is used can't be chosen here")
			}
			return list, true, nil
		default:
			return "", false, errors.New("protocol '" + a.Words[0] + "' not supported")
		}
	}
	l := parseCiphers(list)
	if len(l.missing) > 0 {
		s.Config.Hint(a, a.Name+" names suites that are not to be had here: "+strings.Join(l.missing, " "))
	}
	if l.level > 2 {
		s.Config.Hint(a, fmt.Sprintf("@SECLEVEL=%d says nothing here about the length of keys", l.level))
	}
	return list, false, nil
}

func setCiphers(s *directive.Scope, a directive.Args) error {
	list, new, err := cipherWords(s, a)
	switch {
	case err != nil:
		return err
	case new && !isServer(s):
		return errors.New("TLSv1.3 ciphers cannot be set inside a directory context")
	case new:
		servers.In(s).auth.ciphers13.Set(list)
	case isServer(s):
		servers.In(s).auth.ciphers.Set(list)
	default:
		dirs.In(s).ciphers.Set(list)
	}
	return nil
}

func setProxyCiphers(s *directive.Scope, a directive.Args) error {
	list, new, err := cipherWords(s, a)
	switch {
	case err != nil:
		return err
	case new:
		proxies.In(s).auth.ciphers13.Set(list)
	default:
		proxies.In(s).auth.ciphers.Set(list)
	}
	return nil
}

var verifyWords = map[string]verifyMode{"none": verifyNone, "off": verifyNone, "optional": verifyOptional, "require": verifyRequire, "on": verifyRequire,
	"optional_no_ca": verifyNoCA}

func verifyWord(a directive.Args) (verifyMode, error) {
	v, ok := verifyWords[strings.ToLower(a.Words[0])]
	if !ok {
		return 0, errors.New(a.Name + ": Invalid argument '" + a.Words[0] + "'")
	}
	return v, nil
}

func setVerifyClient(s *directive.Scope, a directive.Args) error {
	v, err := verifyWord(a)
	switch {
	case err != nil:
		return err
	case isServer(s):
		servers.In(s).auth.verify.Set(v)
	default:
		dirs.In(s).verify.Set(v)
	}
	return nil
}

func setProxyVerify(s *directive.Scope, a directive.Args) error {
	v, err := verifyWord(a)
	if err == nil {
		proxies.In(s).auth.verify.Set(v)
	}
	return err
}

func depthWord(a directive.Args) (int, error) {
	n := directive.Atoi(a.Words[0])
	if n < 0 {
		return 0, errors.New(a.Name + ": Invalid argument '" + a.Words[0] + "'")
	}
	return n, nil
}

func setVerifyDepth(s *directive.Scope, a directive.Args) error {
	n, err := depthWord(a)
	switch {
	case err != nil:
		return err
	case isServer(s):
		servers.In(s).auth.depth.Set(n)
	default:
		dirs.In(s).depth.Set(n)
	}
	return nil
}

func setProxyDepth(s *directive.Scope, a directive.Args) error {
	n, err := depthWord(a)
	if err == nil {
		proxies.In(s).auth.depth.Set(n)
	}
	return err
}

func setRevocation[T any](k *directive.Key[T], of func(*T) *directive.Opt[crlCheck]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		c, err := parseCRLCheck(a.Name, apacheconf.Words(a.Raw))
		if err == nil {
			of(k.In(s)).Set(c)
		}
		return err
	}
}

// caches are the modules that can keep sessions.
var caches = [...]string{"dbm", "dc", "memcache", "redis", "shmcb"}

func setCache(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	if low := strings.ToLower(a.Words[0]); low == "none" || low == "nonenotnull" {
		servers.In(s).cached = false
		return nil
	}
	name, store, _ := strings.Cut(a.Words[0], ":")
	servers.In(s).cached = true
	if known, ok := cacheKnown(s, name); !ok {
		return fmt.Errorf("SSLSessionCache: '%s' session cache not supported (known names: %s). Maybe you need to load the appropriate socache module (mod_socache_%s?).",
			name, known, name)
	}
	return checkStore(a.Name, name, store)
}

func setStapleCache(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	name, store, _ := strings.Cut(a.Words[0], ":")
	if known, ok := cacheKnown(s, name); !ok {
		return fmt.Errorf("SSLStaplingCache: '%s' stapling cache not supported (known names: %s) Maybe you need to load the appropriate socache module (mod_socache_%s?)",
			name, known, name)
	}
	servers.In(s).staples = true
	return checkStore(a.Name, name, store)
}

// checkStore looks at the size of a cache in shared memory, "path(bytes)" (httpd: mod_socache_shmcb.c
// socache_shmcb_create).
func checkStore(directive, cache, store string) error {
	at := strings.LastIndexByte(store, '(')
	closed := strings.HasSuffix(store, ")")
	complaint := ""
	switch {
	case cache != "shmcb" && cache != "default", at < 0 && !closed:
	case at < 0:
		complaint = "no opening parenthesis"
	case !closed:
		complaint = "no closing parenthesis or cache size missing after pathname with parenthesis"
	default:
		complaint = checkStoreSize(store[at+1 : len(store)-1])
	}
	if complaint != "" {
		return errors.New(directive + ": Invalid argument: " + complaint)
	}
	return nil
}

// checkStoreSize is what is wrong with a number of bytes, "" nothing.
func checkStoreSize(text string) string {
	const most = 1<<32 - 1
	switch n, rest, err := directive.Leading(text); {
	case rest != "":
		return "cache size not numerical"
	case err != nil || n < 0 || n >= most:
		return "size has to be < 4294967295 bytes on this platform"
	case n < 8192:
		return "size has to be >= 8192 bytes"
	}
	return ""
}

// cacheKnown reports whether a module that keeps sessions is loaded, and names those that are.
func cacheKnown(s *directive.Scope, name string) (names string, ok bool) {
	var known []string
	for _, c := range caches {
		if s.Config.Loaded("mod_socache_" + c + ".c") {
			known = append(known, c)
			if c == "shmcb" {
				known = append(known, "default")
			}
		}
	}
	sort.Strings(known)
	return strings.Join(known, ","), slices.Contains(known, name)
}

// setSeconds takes a number that is not negative; complaint is what is said of others.
func setSeconds(complaint string, of func(*serverSettings) *directive.Opt[int]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		n := directive.Atoi(a.Words[0])
		if n < 0 {
			return errors.New(a.Name + ": " + complaint)
		}
		of(servers.In(s)).Set(n)
		return nil
	}
}

func setWord(of func(*serverSettings) *directive.Opt[string]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		of(servers.In(s)).Set(a.Words[0])
		return nil
	}
}

func setOCSP(s *directive.Scope, a directive.Args) error {
	c, err := parseOCSPCheck(a.Name, apacheconf.Words(a.Raw))
	if err == nil {
		servers.In(s).ocsp.check.Set(c)
	}
	return err
}

func setOCSPProxy(s *directive.Scope, a directive.Args) error {
	if _, err := url.Parse(a.Words[0]); err != nil {
		return errors.New("SSLOCSPProxyURL: Cannot parse URL " + a.Words[0])
	}
	servers.In(s).ocsp.proxy.Set(a.Words[0])
	return nil
}

func setCacheTimeout(s *directive.Scope, a directive.Args) error {
	n := directive.Atoi(a.Words[0])
	if n < 0 {
		return errors.New("SSLSessionCacheTimeout: Invalid argument")
	}
	servers.In(s).timeout.Set(n)
	return nil
}

var policyWords = map[string]sniPolicy{"strict": policyStrict, "secure": policySecure, "authonly": policyAuthOnly, "insecure": policyInsecure}

func setPolicy(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	p, ok := policyWords[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("Invalid SSLVhostSNIPolicy argument '" + a.Words[0] + "'")
	}
	servers.In(s).policy = p
	return nil
}

var optionWords = map[string]option{"stdenvvars": stdEnvVars, "exportcertdata": exportCertData, "fakebasicauth": fakeBasicAuth, "strictrequire": strictRequire,
	"optrenegotiate": optRenegotiate, "legacydnstringformat": legacyDN}

func setOptions(s *directive.Scope, a directive.Args) error {
	o := &dirs.In(s).options
	first := true
	for _, w := range apacheconf.Words(a.Raw) {
		name := strings.TrimLeft(w[:min(1, len(w))], "+-") + w[min(1, len(w)):]
		if name == w && first {
			o.absolute, first = true, false
		}
		bit, ok := optionWords[strings.ToLower(name)]
		switch {
		case !ok:
			return errors.New("SSLOptions: Illegal option '" + name + "'")
		case w[0] == '-':
			o.on, o.add, o.del = o.on&^bit, o.add&^bit, o.del|bit
			continue
		case w[0] == '+':
			o.on, o.add, o.del = o.on|bit, o.add|bit, o.del&^bit
		default:
			o.on, o.add, o.del = bit, bit, 0
		}
	}
	return nil
}

func setUser(s *directive.Scope, a directive.Args) error {
	dirs.In(s).user.Set(a.Words[0])
	return nil
}

func setRequireSSL(s *directive.Scope, _ directive.Args) error {
	dirs.In(s).requireSSL = true
	return nil
}

func setRequire(s *directive.Scope, a directive.Args) error {
	e, err := expr.Compile(a.Raw, expr.Options{File: a.Pos.File, Line: a.Pos.Line, Module: "ssl", SSLCompat: true, AccessFile: s.Config.InAccessFile()})
	if err != nil {
		return errors.New("SSLRequire: " + err.Error())
	}
	d := dirs.In(s)
	d.requires = append(d.requires, requirement{text: a.Raw, expr: e})
	return nil
}

// sslCommands are those of SSLOpenSSLConfCmd that have a directive of their own.
var sslCommands = map[string]string{
	"protocol": "SSLProtocol", "minprotocol": "SSLProtocol", "maxprotocol": "SSLProtocol", "cipherstring": "SSLCipherSuite", "ciphersuites": "SSLCipherSuite TLSv1.3",
	"certificate": "SSLCertificateFile", "privatekey": "SSLCertificateKeyFile", "chaincafile": "SSLCertificateChainFile", "chaincapath": "SSLCertificateChainFile",
	"verifycafile": "SSLCACertificateFile", "verifycapath": "SSLCACertificatePath", "requestcafile": "SSLCADNRequestFile", "clientcafile": "SSLCADNRequestFile",
	"verifymode": "SSLVerifyClient",
}

// knownCommands are all commands of OpenSSL 3 (its manual page SSL_CONF_cmd).
var knownCommands = wordSet("signaturealgorithms clientsignaturealgorithms curves groups ecdhparameters cipherstring ciphersuites protocol minprotocol maxprotocol " +
	"options verifymode certificate privatekey serverinfofile chaincapath chaincafile chaincastore verifycapath verifycafile verifycastore requestcafile " +
	"clientcafile requestcapath clientcapath dhparameters recordpadding numtickets")

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// commandFiles are the commands whose value is a file, commandFolders those of folders (OpenSSL: ssl_conf.c).
var (
	commandFiles = map[string]bool{"certificate": true, "privatekey": true, "chaincafile": true, "requestcafile": true, "verifycafile": true,
		"clientcafile": true, "serverinfofile": true, "dhparameters": true}
	commandFolders = map[string]bool{"chaincapath": true, "requestcapath": true, "verifycapath": true, "clientcapath": true}
)

// commandFile checks that a command's file or folder is there (httpd: ssl_engine_config.c ssl_cmd_SSLOpenSSLConfCmd).
func commandFile(s *directive.Scope, a directive.Args, command string) error {
	a.Words = a.Words[1:]
	switch {
	case commandFiles[command]:
		_, err := existing(s, a)
		return err
	case commandFolders[command]:
		path := s.Config.Tree.Path(a.Words[0])
		if st, err := s.Config.Files.Stat(path); err != nil || !st.IsDir() {
			return errors.New(a.Name + ": directory '" + path + "' does not exist")
		}
	}
	return nil
}

// setCommand: OpenSSL is not here to be told. What would let in who shall stay out is refused.
func setCommand(s *directive.Scope, a directive.Args) error {
	name := strings.ToLower(a.Words[0])
	if err := commandFile(s, a, name); err != nil {
		return err
	}
	switch own := sslCommands[name]; {
	case !knownCommands[name]:
		return errors.New("'" + a.Words[0] + "': invalid OpenSSL configuration command")
	case name == "verifymode":
		return errors.New("SSLOpenSSLConfCmd VerifyMode is not obeyed here: say it with SSLVerifyClient")
	case own != "":
		s.Config.Hint(a, "SSLOpenSSLConfCmd "+a.Words[0]+" has no effect here: say it with "+own)
	default:
		s.Config.Hint(a, "SSLOpenSSLConfCmd "+a.Words[0]+" has no effect here: crypto/tls decides")
	}
	return nil
}

// checkSeed looks at the words of SSLRandomSeed, but not for the file that they name: the kernel's own source is used
// whatever they say (httpd: ssl_engine_config.c ssl_cmd_SSLRandomSeed).
func checkSeed(_ *directive.Scope, a directive.Args) error {
	w := apacheconf.Words(a.Raw)
	source, bytes := w[1], w[2:]
	switch {
	case !directive.HasPrefix(w[0]+"$", "startup$", "connect$"):
		return errors.New(a.Name + ": invalid context: `" + w[0] + "'")
	case strings.HasPrefix(source, "egd:"):
		return errors.New("Invalid SSLRandomSeed entropy source `" + source + "': This version of OpenSSL does not support the Entropy Gathering Daemon (EGD).")
	case strings.EqualFold(source, "builtin"):
		if len(bytes) > 0 {
			return errors.New(a.Name + ": byte specification not allowed for builtin seed source")
		}
		return nil
	}
	if len(bytes) > 0 && directive.Atoi(bytes[0]) < 0 {
		return errors.New(a.Name + ": invalid number of bytes specified")
	}
	return nil
}
