package ssl

import (
	"errors"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_ssl. In the list of modules it stands before those that authenticate: who has no TLS is
// refused before he is asked for a password (httpd: mod_ssl.c ssl_register_hooks, access_checker).
func Module() site.Module {
	return site.Module{Name: "ssl", Open: open, Reads: []string{"ssl dir", "ssl server"}, Table: directive.Table{
		{Name: "SSLEngine", Set: setEngine, Help: "TLS in front: on, off"},
		{Name: "SSLCertificateFile", File: directive.ReadsFile, Set: setCertificate(func(s *serverSettings) *[]string { return &s.certs }), Help: "a certificate, with its chain and perhaps its key; one for each kind of key"},
		{Name: "SSLCertificateKeyFile", File: directive.ReadsFile, Set: setCertificate(func(s *serverSettings) *[]string { return &s.keys }), Help: "the certificate's key"},
		{Name: "SSLCertificateChainFile", File: directive.ReadsFile, Set: setFile(servers, func(s *serverSettings) *directive.Opt[string] { return &s.chain }), Help: "the certificates between the server's and the root's"},
		{Name: "SSLPassPhraseDialog", File: directive.RunsProgram, Set: setDialog, Help: "the program that prints the pass phrase of encrypted keys: exec:/path"},
		{Name: "SSLProtocol", Set: setProtocol(servers, func(s *serverSettings) *directive.Opt[versions] { return &s.protocol }), Help: "versions of TLS"},
		{Name: "SSLCipherSuite", Set: setCiphers, Help: "cipher suites by OpenSSL's names"},
		{Name: "SSLHonorCipherOrder", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.honor }), Help: "whether ours or the client's order chooses among certificates of several kinds"},
		{Name: "SSLVerifyClient", Set: setVerifyClient, Help: "whether clients must show a certificate: none, optional, require, optional_no_ca"},
		{Name: "SSLVerifyDepth", Set: setVerifyDepth, Help: "how many certificates may stand above the client's"},
		{Name: "SSLCACertificateFile", File: directive.ReadsFile, Set: setAuthority(setFile(servers, func(s *serverSettings) *directive.Opt[string] { return &s.auth.caFile })), Help: "who may sign clients' certificates"},
		{Name: "SSLCACertificatePath", File: directive.ReadsFolder, Set: setAuthority(setFolder(servers, func(s *serverSettings) *directive.Opt[string] { return &s.auth.caPath })), Help: "the same, a folder of hashed names"},
		{Name: "SSLCADNRequestFile", File: directive.ReadsFile, Set: setFile(servers, func(s *serverSettings) *directive.Opt[string] { return &s.dnFile }), Help: "the signers that clients are told of"},
		{Name: "SSLCADNRequestPath", File: directive.ReadsFolder, Set: setFolder(servers, func(s *serverSettings) *directive.Opt[string] { return &s.dnPath }), Help: "the same, a folder"},
		{Name: "SSLCARevocationFile", File: directive.ReadsFile, Set: setFile(servers, func(s *serverSettings) *directive.Opt[string] { return &s.auth.crlFile }), Help: "lists of clients' certificates that are no longer good"},
		{Name: "SSLCARevocationPath", File: directive.ReadsFolder, Set: setFolder(servers, func(s *serverSettings) *directive.Opt[string] { return &s.auth.crlPath }), Help: "the same, a folder of hashed names"},
		{Name: "SSLCARevocationCheck", Set: setRevocation(servers, func(s *serverSettings) *directive.Opt[crlCheck] { return &s.auth.crlCheck }), Help: "which certificates are looked up: none, leaf, chain"},
		{Name: "SSLOCSPEnable", Set: setOCSP, Help: "which of a client's certificates a responder is asked about: off, leaf, on"},
		{Name: "SSLOCSPDefaultResponder", Set: setWord(func(s *serverSettings) *directive.Opt[string] { return &s.ocsp.fallback }), Help: "the responder of certificates that name none"},
		{Name: "SSLOCSPOverrideResponder", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.ocsp.override }), Help: "ask that one about all certificates"},
		{Name: "SSLOCSPResponseTimeSkew", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.ocsp.skew }), Help: "seconds by which the responder's clock may differ"},
		{Name: "SSLOCSPResponseMaxAge", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.ocsp.maxAge }), Help: "seconds that an answer may be old"},
		{Name: "SSLOCSPResponderTimeout", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.ocsp.timeout }), Help: "seconds that a responder may take"},
		{Name: "SSLOCSPUseRequestNonce", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.ocsp.nonce }), Help: "whether answers must be fresh ones"},
		{Name: "SSLOCSPProxyURL", Set: setOCSPProxy, Help: "the proxy in front of responders"},
		{Name: "SSLOCSPNoVerify", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.ocsp.noVerify }), Help: "whether answers are believed whoever has signed them"},
		{Name: "SSLOCSPResponderCertificateFile", File: directive.ReadsFile, Set: setFile(servers, func(s *serverSettings) *directive.Opt[string] { return &s.ocsp.certs }), Help: "responders that are trusted besides the signers"},
		{Name: "SSLUseStapling", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.staple.use }), Help: "tell clients at the handshake that our certificate is not revoked"},
		{Name: "SSLStaplingCache", Set: setStapleCache, Help: "answers are kept in memory here"},
		{Name: "SSLStaplingResponseTimeSkew", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.staple.skew }), Help: "seconds by which the responder's clock may differ"},
		{Name: "SSLStaplingResponderTimeout", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.staple.timeout }), Help: "seconds that the responder may take"},
		{Name: "SSLStaplingResponseMaxAge", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.staple.maxAge }), Help: "seconds that an answer may be old"},
		{Name: "SSLStaplingStandardCacheTimeout", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.staple.life }), Help: "seconds after which a new answer is fetched"},
		{Name: "SSLStaplingErrorCacheTimeout", Set: setSeconds("invalid argument", func(s *serverSettings) *directive.Opt[int] { return &s.staple.badLife }), Help: "seconds after which it is tried again"},
		{Name: "SSLStaplingReturnResponderErrors", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.staple.errors }), Help: "whether clients are told of a responder that fails"},
		{Name: "SSLStaplingFakeTryLater", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.staple.tryLater }), Help: "whether they are told so of one that does not answer"},
		{Name: "SSLStaplingForceURL", Set: setWord(func(s *serverSettings) *directive.Opt[string] { return &s.staple.url }), Help: "the responder to ask in place of the one in the certificate"},
		{Name: "SSLSessionTickets", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.tickets }), Help: "resumption by tickets"},
		{Name: "SSLSessionTicketKeyFile", File: directive.ReadsFile, Set: setFile(servers, func(s *serverSettings) *directive.Opt[string] { return &s.ticketKey }), Help: "48 bytes that servers share to resume each other's sessions"},
		{Name: "SSLSessionCache", Set: setCache, Help: "where sessions are kept for hosts without tickets: in memory, whatever its name"},
		{Name: "SSLSessionCacheTimeout", Set: setCacheTimeout, Help: "seconds in which a session may be resumed"},
		{Name: "SSLStrictSNIVHostCheck", Set: setFlag(servers, func(s *serverSettings) *directive.Opt[bool] { return &s.strictSNI }), Help: "clients must say which server they want"},
		{Name: "SSLVHostSNIPolicy", Set: setPolicy, Help: "which virtual hosts a connection serves besides its own: strict, secure, authonly, insecure"},
		{Name: "SSLOptions", Set: setOptions, Help: "+StdEnvVars, +ExportCertData, +FakeBasicAuth, +StrictRequire, +LegacyDNStringFormat, +OptRenegotiate"},
		{Name: "SSLUserName", Set: setUser, Help: "the variable that is the user's name"},
		{Name: "SSLRequireSSL", Set: setRequireSSL, Help: "over TLS alone"},
		{Name: "SSLRequire", Set: setRequire, Help: "an expression that must hold"},

		{Name: "SSLOpenSSLConfCmd", File: directive.LooksAtSecond, Set: setCommand, Help: "OpenSSL's own settings: each is told which directive to use here"},

		{Name: "SSLProxyEngine", Set: setFlag(proxies, func(p *proxySettings) *directive.Opt[bool] { return &p.engine }), Help: "TLS towards https and wss members"},
		{Name: "SSLProxyProtocol", Set: setProtocol(proxies, func(p *proxySettings) *directive.Opt[versions] { return &p.protocol }), Help: "versions of TLS"},
		{Name: "SSLProxyCipherSuite", Set: setProxyCiphers, Help: "cipher suites by OpenSSL's names"},
		{Name: "SSLProxyVerify", Set: setProxyVerify, Help: "whether members' certificates are verified: none, optional, require, optional_no_ca"},
		{Name: "SSLProxyVerifyDepth", Set: setProxyDepth, Help: "how many certificates may stand above the member's"},
		{Name: "SSLProxyCACertificateFile", File: directive.ReadsFile, Set: setFile(proxies, func(p *proxySettings) *directive.Opt[string] { return &p.auth.caFile }), Help: "who may sign members' certificates"},
		{Name: "SSLProxyCACertificatePath", File: directive.ReadsFolder, Set: setFolder(proxies, func(p *proxySettings) *directive.Opt[string] { return &p.auth.caPath }), Help: "the same, a folder of hashed names"},
		{Name: "SSLProxyCARevocationFile", File: directive.ReadsFile, Set: setFile(proxies, func(p *proxySettings) *directive.Opt[string] { return &p.auth.crlFile }), Help: "lists of members' certificates that are no longer good"},
		{Name: "SSLProxyCARevocationPath", File: directive.ReadsFolder, Set: setFolder(proxies, func(p *proxySettings) *directive.Opt[string] { return &p.auth.crlPath }), Help: "the same, a folder of hashed names"},
		{Name: "SSLProxyCARevocationCheck", Set: setRevocation(proxies, func(p *proxySettings) *directive.Opt[crlCheck] { return &p.auth.crlCheck }), Help: "which certificates are looked up: none, leaf, chain"},
		{Name: "SSLProxyMachineCertificateFile", File: directive.ReadsFile, Set: setMachine(setFile(proxies, func(p *proxySettings) *directive.Opt[string] { return &p.machineFile })), Help: "certificates and keys to show to members that ask"},
		{Name: "SSLProxyMachineCertificatePath", File: directive.ReadsFolder, Set: setMachine(setFolder(proxies, func(p *proxySettings) *directive.Opt[string] { return &p.machinePath })), Help: "the same, a folder"},
		{Name: "SSLProxyMachineCertificateChainFile", File: directive.ReadsFile, Set: setFile(proxies, func(p *proxySettings) *directive.Opt[string] { return &p.machineChain }), Help: "the certificates between those and their roots"},
		{Name: "SSLProxyCheckPeerName", Set: setFlag(proxies, func(p *proxySettings) *directive.Opt[bool] { return &p.checkName }), Help: "members' certificates must have their names"},
		{Name: "SSLProxyCheckPeerCN", Set: setFlag(proxies, func(p *proxySettings) *directive.Opt[bool] { return &p.checkCN }), Help: "the old form of SSLProxyCheckPeerName"},
		{Name: "SSLProxyCheckPeerExpire", Set: setFlag(proxies, func(p *proxySettings) *directive.Opt[bool] { return &p.checkExpire }), Help: "members' certificates must not have expired"},

		{Name: "SSLCryptoDevice", Ignored: &directive.Ignored{Main: true}},
		{Name: "SSLRandomSeed", Ignored: &directive.Ignored{Check: checkSeed, Main: true, Quiet: true}},
		{Name: "SSLFIPS", Ignored: &directive.Ignored{Closes: directive.With("on"), Main: true}},
	}}
}

// load is what belongs to one configuration. The key keeps it at the main server's scope, where Open
// puts it and Config, Accept and Secure find it.
type load struct {
	*siteTLS
	*members
}

var loads = directive.NewKey("ssl load", func(_, inner load) load { return inner })

// loadOf is a configuration's load; nil members when the module was not opened.
func loadOf(c *directive.Config) load {
	if !loads.Has(c.Main) {
		return load{}
	}
	return *loads.In(c.Main)
}

// fatal is how httpd's start ends.
const fatal = "\nAH02312: Fatal error initialising mod_ssl, exiting.\nAH00016: Configuration Failed"

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	l := loads.In(c.Main)
	l.members = &members{fsys: c.Files, warn: func(text string) { s.WarnAtStart("ssl", exchange.Warn, text) }}
	l.siteTLS = &siteTLS{site: s, hosts: map[*site.Host]*host{}}
	if s.Checking { // httpd -t looks into no certificate
		return nil, nil
	}
	err := l.siteTLS.fill(c, s)
	if err != nil {
		return nil, errors.New(err.Error() + fatal)
	}
	s.OnCommit(l.siteTLS.begin)
	l.policy = servers.Merged(c.Main).policy
	return l.build, nil
}

// fill makes the hosts that have TLS.
func (f *siteTLS) fill(c *directive.Config, s *site.Site) error {
	for _, h := range s.Hosts {
		own, err := newHost(c, s, h, f.logOf(h))
		if err != nil {
			return err
		}
		if own == nil {
			continue
		}
		for _, w := range own.warnings {
			s.WarnAtStart("ssl", exchange.Warn, w)
		}
		f.hosts[h] = own
	}
	return nil
}

// begin asks the responders, so that the first clients find responses.
func (f *siteTLS) begin() {
	for _, o := range f.hosts {
		for _, s := range o.staples {
			if s != nil {
				s.refresh()
			}
		}
	}
}

// logOf writes what concerns no connection to a virtual host's error log.
func (f *siteTLS) logOf(h *site.Host) func(exchange.Level, string) {
	return func(level exchange.Level, message string) {
		if f.site.ErrorLog == nil || h.Server.Levels != nil && level > h.Server.Levels.Of("ssl") {
			return
		}
		f.site.ErrorLog.Write(&exchange.LogEntry{Time: time.Now(), Module: "ssl", Level: level, Message: message, Server: h.Server})
	}
}
