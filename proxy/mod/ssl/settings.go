package ssl

import (
	"slices"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/expr"
)

// verifyMode is SSLVerifyClient and SSLProxyVerify, the weakest first.
type verifyMode uint8

const (
	verifyNone verifyMode = iota
	verifyNoCA            // optional_no_ca: any issuer will do
	verifyOptional
	verifyRequire
)

// sniPolicy is SSLVHostSNIPolicy: which virtual hosts a connection serves besides its own.
type sniPolicy uint8

const (
	policySecure   sniPolicy = iota // those with the same TLS settings
	policyStrict                    // none
	policyAuthOnly                  // those that authenticate clients in the same way
	policyInsecure                  // all
)

// serverSettings are those of the main server or a virtual host (httpd: ssl_private.h SSLSrvConfigRec).
type serverSettings struct {
	engine directive.Opt[bool]

	certs, keys []string // SSLCertificateFile, SSLCertificateKeyFile; see knockOut
	chain       directive.Opt[string]
	protocol    directive.Opt[versions]
	honor       directive.Opt[bool]
	timeout     directive.Opt[int] // SSLSessionCacheTimeout, seconds
	tickets     directive.Opt[bool]
	ticketKey   directive.Opt[string]
	strictSNI   directive.Opt[bool]
	dnFile      directive.Opt[string] // SSLCADNRequestFile
	dnPath      directive.Opt[string]
	auth        authSettings
	ocsp        ocspSettings
	staple      stapleSettings

	// Of the main server alone.
	policy  sniPolicy
	dialog  string // the program of SSLPassPhraseDialog exec:
	staples bool   // SSLStaplingCache was said
	cached  bool   // SSLSessionCache names one
}

// authSettings are what both directions have (httpd: modssl_auth_ctx_t and the CRLs of modssl_ctx_t).
// Comparable.
type authSettings struct {
	ciphers   directive.Opt[string] // for TLS 1.2 and older
	ciphers13 directive.Opt[string]
	verify    directive.Opt[verifyMode]
	depth     directive.Opt[int]
	caFile    directive.Opt[string]
	caPath    directive.Opt[string]
	crlFile   directive.Opt[string]
	crlPath   directive.Opt[string]
	crlCheck  directive.Opt[crlCheck]
}

func (a authSettings) over(o authSettings) authSettings {
	return authSettings{
		ciphers: a.ciphers.Over(o.ciphers), ciphers13: a.ciphers13.Over(o.ciphers13), verify: a.verify.Over(o.verify), depth: a.depth.Over(o.depth),
		caFile: a.caFile.Over(o.caFile), caPath: a.caPath.Over(o.caPath),
		crlFile: a.crlFile.Over(o.crlFile), crlPath: a.crlPath.Over(o.crlPath), crlCheck: a.crlCheck.Over(o.crlCheck),
	}
}

var servers = directive.NewKey("ssl server", func(o, i serverSettings) serverSettings {
	return serverSettings{
		engine: i.engine.Over(o.engine), certs: knockOut(o.certs, i.certs), keys: knockOut(o.keys, i.keys), chain: i.chain.Over(o.chain),
		protocol: i.protocol.Over(o.protocol), honor: i.honor.Over(o.honor), timeout: i.timeout.Over(o.timeout), tickets: i.tickets.Over(o.tickets), ticketKey: i.ticketKey.Over(o.ticketKey),
		strictSNI: i.strictSNI.Over(o.strictSNI), dnFile: i.dnFile.Over(o.dnFile), dnPath: i.dnPath.Over(o.dnPath), auth: i.auth.over(o.auth),
		ocsp: i.ocsp.over(o.ocsp), staple: i.staple.over(o.staple), policy: o.policy, dialog: o.dialog, staples: o.staples, cached: o.cached,
	}
})

// knockOut: each of the first three inner files takes the place of the outer one of its number; what the
// outer list has beyond is added (httpd: ssl_engine_config.c modssl_ctx_cfg_merge_certkeys_array).
func knockOut(outer, inner []string) []string {
	n := min(len(inner), 3)
	out := slices.Clone(inner[:n])
	if n < len(outer) {
		out = append(out, outer[n:]...)
	}
	return append(out, inner[n:]...)
}

// dirSettings are those of sections (httpd: SSLDirConfigRec).
type dirSettings struct {
	requireSSL bool
	requires   []requirement
	options    options
	ciphers    directive.Opt[string]
	verify     directive.Opt[verifyMode]
	depth      directive.Opt[int]
	user       directive.Opt[string] // SSLUserName
}

// requirement is one SSLRequire.
type requirement struct {
	text string
	expr *expr.Expr
}

var dirs = directive.NewKey("ssl dir", func(o, i dirSettings) dirSettings {
	return dirSettings{
		requireSSL: i.requireSSL || o.requireSSL, requires: slices.Concat(o.requires, i.requires), options: i.options.over(o.options),
		ciphers: i.ciphers.Over(o.ciphers), verify: i.verify.Over(o.verify), depth: i.depth.Over(o.depth), user: i.user.Over(o.user),
	}
})

// option is a word of SSLOptions.
type option uint8

const (
	stdEnvVars option = 1 << iota
	exportCertData
	fakeBasicAuth
	strictRequire
	optRenegotiate
	legacyDN
)

// options is SSLOptions: words without a sign replace what holds outside, signed ones change it
// (httpd: ssl_engine_config.c ssl_config_perdir_merge).
type options struct {
	absolute     bool
	on, add, del option
}

func (i options) over(o options) options {
	if i.absolute {
		return i
	}
	return options{absolute: o.absolute, on: o.on&^i.del | i.add, add: o.add&^i.del | i.add, del: o.del&^i.add | i.del}
}

func (o options) has(w option) bool { return o.on&w != 0 }

// proxySettings are SSLProxy…, of servers and of <Proxy>. Comparable: equal settings share a
// backend.TLS, and so the connections to members.
type proxySettings struct {
	engine       directive.Opt[bool]
	protocol     directive.Opt[versions]
	auth         authSettings
	machineFile  directive.Opt[string]
	machinePath  directive.Opt[string]
	machineChain directive.Opt[string]
	checkName    directive.Opt[bool]
	checkCN      directive.Opt[bool]
	checkExpire  directive.Opt[bool]
}

var proxies = directive.NewKey("ssl proxy", func(o, i proxySettings) proxySettings {
	return proxySettings{
		engine: i.engine.Over(o.engine), protocol: i.protocol.Over(o.protocol), auth: i.auth.over(o.auth),
		machineFile: i.machineFile.Over(o.machineFile), machinePath: i.machinePath.Over(o.machinePath), machineChain: i.machineChain.Over(o.machineChain),
		checkName: i.checkName.Over(o.checkName), checkCN: i.checkCN.Over(o.checkCN), checkExpire: i.checkExpire.Over(o.checkExpire),
	}
})
