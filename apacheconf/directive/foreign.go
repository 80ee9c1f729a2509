package directive

import (
	"slices"
	"strings"

	"balancerd/apacheconf"
)

// foreign is a module that is none of httpd's own, or one that stands for a whole product, and is not to be
// had here.
type foreign struct {
	name     string   // as messages have it: "security2"
	idents   []string // of LoadModule
	sources  []string // of <IfModule>; the first one is the module's own
	prefixes []string // with which its directives begin, in lower case; sections without "<"
	logins   []string // words of AuthType, in lower case
	what     string   // what it is
	instead  string   // what to use in its place
	guards   bool     // it keeps somebody or something out
	itself   bool     // as soon as it is loaded, without any directive
}

// foreigns are the modules that people load besides httpd's own.
var foreigns = []*foreign{
	{name: "security2", prefixes: []string{"sec"}, what: "a web application firewall", guards: true,
		instead: "run a firewall in front (Coraza, or ModSecurity in another proxy)"},
	{name: "security3", sources: []string{"mod_security3.c"}, prefixes: []string{"modsecurity", "modsecurity_"}, what: "a web application firewall", guards: true,
		instead: "run a firewall in front (Coraza, or ModSecurity in another proxy)"},
	{name: "evasive20", idents: []string{"evasive_module", "evasive24_module"}, sources: []string{"mod_evasive20.c", "mod_evasive.c", "mod_evasive24.c"},
		prefixes: []string{"dos"}, what: "a limit of requests per client", guards: true, itself: true,
		instead: "limit rates in front (nftables, fail2ban, a content delivery network)"},
	{name: "qos", prefixes: []string{"qs_"}, what: "limits of connections and requests", guards: true,
		instead: "RequestReadTimeout and LimitRequest* hold here; limit rates in front"},
	{name: "limitipconn", prefixes: []string{"maxconnperip", "noiplimit", "onlyiplimit", "limitipconn"}, what: "a limit of connections per client", guards: true,
		instead: "limit connections in front (nftables connlimit)"},
	{name: "bw", prefixes: []string{"bandwidth", "forcebandwidthmodule", "minbandwidth", "largefilelimit", "bw"}, what: "a limit of bandwidth",
		instead: "limit bandwidth in front (tc)"},
	{name: "cband", prefixes: []string{"cband", "<cband"}, what: "a limit of bandwidth and connections", guards: true, instead: "limit them in front"},
	{name: "antiloris", prefixes: []string{"antiloris", "ipreadlimit", "ipotherlimit"}, what: "a limit of slow clients", guards: true, instead: "RequestReadTimeout holds here"},
	{name: "maxminddb", prefixes: []string{"maxminddb"}, what: "the country of a client", guards: true, instead: "look countries up in front, and test the field that it sets by Require expr"},
	{name: "geoip", prefixes: []string{"geoip"}, what: "the country of a client", guards: true, instead: "look countries up in front, and test the field that it sets by Require expr"},
	{name: "auth_openidc", prefixes: []string{"oidc", "oauth2"}, logins: []string{"openid-connect", "auth-openidc", "oauth20"}, what: "a login by OpenID Connect", guards: true,
		instead: "run oauth2-proxy in front of the members"},
	{name: "shib", idents: []string{"mod_shib"}, sources: []string{"mod_shib.cpp", "mod_shib.c", "mod_shib_24.cpp"}, prefixes: []string{"shib"}, logins: []string{"shibboleth"},
		what: "a login by SAML (Shibboleth)", guards: true, instead: "have the members log in by SAML, or a login proxy in front of them"},
	{name: "auth_mellon", prefixes: []string{"mellon"}, logins: []string{"mellon"}, what: "a login by SAML", guards: true, instead: "have the members log in by SAML, or a login proxy in front of them"},
	{name: "auth_cas", prefixes: []string{"cas"}, logins: []string{"cas"}, what: "a login by CAS", guards: true, instead: "have the members log in, or a login proxy in front of them"},
	{name: "auth_gssapi", prefixes: []string{"gssapi"}, logins: []string{"gssapi"}, what: "a login by Kerberos", guards: true, instead: "have the members log in by Kerberos"},
	{name: "auth_kerb", prefixes: []string{"krb", "krb5", "kerberos"}, logins: []string{"kerberos", "kerberosv5"}, what: "a login by Kerberos", guards: true, instead: "have the members log in by Kerberos"},
	{name: "auth_pubtkt", prefixes: []string{"tktauth"}, what: "a login by tickets", guards: true, instead: "have the members check tickets"},
	{name: "auth_tkt", prefixes: []string{"tkt"}, what: "a login by tickets", guards: true, instead: "have the members check tickets"},
	{name: "authnz_external", prefixes: []string{"defineexternalauth", "externalauth", "addexternalauth", "authexternal", "defineexternalgroup", "groupexternal"}, what: "a login by a program", guards: true,
		instead: "AuthUserFile holds here"},
	{name: "authnz_pam", prefixes: []string{"authpam"}, what: "a login by PAM", guards: true, instead: "AuthUserFile holds here"},
	{name: "intercept_form_submit", prefixes: []string{"interceptform"}, what: "a login by PAM", guards: true, instead: "have the members log in"},
	{name: "lookup_identity", prefixes: []string{"lookupuser", "lookupoutput", "lookupdbus"}, what: "what is known of a user", instead: "have the members look users up"},
	{name: "nss", prefixes: []string{"nss"}, what: "TLS by NSS", guards: true, instead: "SSLEngine and its like hold here: write NSS… as SSL…"},
	{name: "gnutls", prefixes: []string{"gnutls"}, what: "TLS by GnuTLS", guards: true, instead: "SSLEngine and its like hold here: write GnuTLS… as SSL…"},
	{name: "md", what: "certificates by ACME", instead: "fetch them by certbot or lego and name them in SSLCertificateFile"},
	{name: "jk", prefixes: []string{"jk"}, what: "the connector to Tomcat", instead: "ProxyPass /app ajp://HOST:8009/app, with secret= if it has one, and route= for each jvmRoute"},
	{name: "weblogic", idents: []string{"weblogic_module"}, sources: []string{"mod_weblogic.c", "mod_wl_24.c", "mod_wl.c", "mod_wl_22.c", "mod_wl_ohs.c", "mod_wl_20.c"},
		prefixes: []string{"weblogic", "wl", "matchexpression", "dynamicserverlist", "connecttimeoutsecs", "connectretrysecs", "pathtrim", "pathprepend", "wlsrequest", "hungserverrecoversecs", "debugconfiginfo", "idempotent", "fileCaching"},
		what:     "the connector to WebLogic", instead: "ProxyPass / balancer://NAME stickysession=JSESSIONID with a BalancerMember for each server"},
	{name: "was_ap22", idents: []string{"was_ap22_module", "was_ap24_module", "was_ap20_module"},
		sources:  []string{"mod_was_ap22_http.c", "mod_was_ap24_http.c", "mod_was_ap22_http", "mod_was_ap24_http"},
		prefixes: []string{"webspherepluginconfig", "wasplugin"}, what: "the connector to WebSphere",
		instead: "ProxyPass / balancer://NAME stickysession=JSESSIONID with a BalancerMember for each server of plugin-cfg.xml"},
	{name: "proxy_cluster", idents: []string{"manager_module", "proxy_cluster_module", "cluster_slotmem_module", "advertise_module", "lbmethod_cluster_module"},
		sources: []string{"mod_proxy_cluster.c", "mod_manager.c", "mod_cluster_slotmem.c", "mod_advertise.c", "mod_lbmethod_cluster.c"},
		prefixes: []string{"managerbalancername", "memmanagerfile", "enablemcpmreceive", "enablemcmpreceive", "advertise", "serveradvertise", "createbalancers", "allowdisplay", "allowcmd", "persistslots", "checknonce", "maxcontext", "maxnode", "maxhost", "maxsessionid", "usealias", "usenocanon", "wsupgradeheader",
			"enablewstunnel", "enableoptions", "lbstatusrecaltime", "waitforremove", "waitbeforeremove", "deterministicfailover", "modproxycluster"},
		what: "the cluster of WildFly", instead: "ProxyPass / balancer://NAME stickysession=JSESSIONID with a BalancerMember for each server"},
	{name: "smooth_streaming", prefixes: []string{"usp", "ismproxypass"}, what: "a packager of video", instead: "run it in a server of its own and name its port in ProxyPass"},
	{name: "passenger", prefixes: []string{"passenger", "rails", "rack"}, what: "an application server", instead: "run it alone and name its port in ProxyPass"},
	{name: "wsgi", prefixes: []string{"wsgi"}, what: "an application server for Python", instead: "run gunicorn (http://) or uWSGI (uwsgi://) and name its port in ProxyPass"},
	{name: "php", idents: []string{"php_module", "php5_module", "php7_module"}, sources: []string{"mod_php.c", "mod_php5.c", "mod_php7.c", "sapi_apache2.c"}, prefixes: []string{"php_", "phpinidir"},
		what: "an interpreter", instead: `run PHP-FPM: <FilesMatch "\.php$"> SetHandler "proxy:unix:/run/php/php-fpm.sock|fcgi://localhost"`},
	{name: "perl", prefixes: []string{"perl", "<perl", "podinclude"}, what: "an interpreter", guards: true, instead: "run the application alone and name its port in ProxyPass"},
	{name: "fcgid", prefixes: []string{"fcgid"}, what: "a runner of FastCGI programs", instead: "run the program with a port of its own and name it in ProxyPass / fcgi://HOST:PORT/"},
	{name: "fastcgi", prefixes: []string{"fastcgi"}, what: "a runner of FastCGI programs", instead: "run the program with a port of its own and name it in ProxyPass / fcgi://HOST:PORT/"},
	{name: "pagespeed", prefixes: []string{"modpagespeed"}, what: "an optimizer of pages", instead: "build pages as they shall be"},
	{name: "rpaf", prefixes: []string{"rpaf"}, what: "the client's address behind another proxy", guards: true, instead: "RemoteIPHeader X-Forwarded-For, with RemoteIPInternalProxy for the proxies in front"},
	{name: "cloudflare", prefixes: []string{"cloudflareremoteip", "denyallbutcloudflare"}, what: "the client's address behind Cloudflare", guards: true, instead: "RemoteIPHeader CF-Connecting-IP"},
	{name: "xsendfile", prefixes: []string{"xsendfile"}, what: "files that a member names", instead: "have the member send them"},
	{name: "dav_svn", prefixes: []string{"svn"}, what: "Subversion", instead: "run svnserve"},
	{name: "authz_svn", prefixes: []string{"authzsvn"}, what: "access rules of Subversion", guards: true, instead: "run svnserve"},
}

// has reports whether a directive is the module's.
func (f *foreign) has(directive string) bool {
	low := strings.ToLower(directive)
	if catalog()[low] != nil {
		return false // one of httpd's own
	}
	bare := strings.TrimPrefix(low, "<")
	return slices.ContainsFunc(f.prefixes, func(p string) bool { return strings.HasPrefix(bare, strings.ToLower(strings.TrimPrefix(p, "<"))) })
}

// module is the name as people know it: "mod_security2".
func (f *foreign) module() string { return "mod_" + f.name }

// text is what is said of one of its directives.
func (f *foreign) text(name string) string {
	return name + " belongs to " + f.module() + ", " + f.what + ", which is not supported here: " + f.instead
}

func init() {
	for _, f := range foreigns {
		f.idents = append([]string{f.name + "_module"}, f.idents...)
		if f.sources == nil {
			f.sources = []string{"mod_" + f.name + ".c"}
		}
	}
}

func foreignWhere(ok func(*foreign) bool) *foreign {
	if i := slices.IndexFunc(foreigns, ok); i >= 0 {
		return foreigns[i]
	}
	return nil
}

func foreignByIdent(ident string) *foreign {
	return foreignWhere(func(f *foreign) bool { return slices.Contains(f.idents, ident) })
}

func foreignBySource(source string) *foreign {
	return foreignWhere(func(f *foreign) bool { return slices.Contains(f.sources, source) })
}

// foreignByDirective is the module of a directive that httpd does not have.
func foreignByDirective(name string) *foreign {
	return foreignWhere(func(f *foreign) bool { return f.has(name) })
}

// foreign is the foreign module of a directive, if the configuration loads it, or gives it up by name; a
// part of a configuration need not load it.
func (c *Config) foreign(name string) *foreign {
	return foreignWhere(func(f *foreign) bool {
		return f.has(name) && (c.Tree.Partial || c.defined(Without(f.name)) || slices.ContainsFunc(f.idents, c.Loaded))
	})
}

// ForeignLogin is what is to be said of an AuthType of a foreign module, "" for others. given: the configuration
// gives the module up by name, so that nobody can log in.
func (c *Config) ForeignLogin(kind string) (text string, given bool) {
	f := foreignWhere(func(f *foreign) bool { return slices.Contains(f.logins, strings.ToLower(kind)) })
	if f == nil {
		return "", false
	}
	return f.text("AuthType " + kind), c.defined(Without(f.name))
}

// noteForeign notes a foreign module's directive. One that switches something off guards nothing.
func (c *Config) noteForeign(f *foreign, a Args) {
	w, _ := apacheconf.Word(a.Raw)
	off := strings.EqualFold(w, "off") || strings.EqualFold(w, "none") || strings.EqualFold(w, "false")
	c.note(Hint{Pos: a.Pos, Name: a.Name, Module: f.name, Text: f.text(a.Name), Instead: f.instead, Refuse: f.guards && !off})
}

// noteLoaded notes foreign modules that act without any directive.
func (c *Config) noteLoaded() {
	for _, l := range c.Tree.LoadModules {
		if f := foreignByIdent(l.Ident); f != nil && f.itself {
			c.note(Hint{Pos: l.Pos, Name: "LoadModule", Module: f.name, Text: f.text("LoadModule " + l.Ident), Refuse: true})
		}
	}
}

// unknown is the name of a module that is loaded, of which nothing is known here, and that the configuration
// gives up by name: a directive that nobody has may be its.
func (c *Config) unknown() string {
	for _, u := range c.Tree.Unknown {
		if name := strings.TrimSuffix(u.Ident, "_module"); c.defined(Without(name)) {
			return name
		}
	}
	return ""
}

// givenUp notes a directive that nobody has, if it may be such a module's.
func (c *Config) givenUp(name string, a Args) bool {
	module := c.unknown()
	if module == "" || catalog()[strings.ToLower(name)] != nil {
		return false
	}
	c.note(Hint{Pos: a.Pos, Name: name, Module: module, Text: name + " is not known here: taken as mod_" + module + "'s, and without effect"})
	return true
}

// noteSkipped notes what was passed over since a module is not there: in a part of a configuration, since the
// whole one may load it.
func (c *Config) noteSkipped() {
	if !c.Tree.Partial {
		return
	}
	for _, n := range c.Tree.Notes {
		c.note(Hint{Pos: n.Pos, Name: "LoadModule", Module: "so", Text: n.Text})
	}
	for _, s := range c.Tree.Skipped {
		text := "<IfModule " + s.Module + "> is passed over"
		if f := foreignWhere(func(f *foreign) bool {
			return slices.Contains(f.sources, s.Module) || slices.Contains(f.idents, s.Module)
		}); f != nil {
			text += ": " + f.module() + ", " + f.what + ", is not supported here: " + f.instead
		}
		c.note(Hint{Pos: s.Pos, Name: "<IfModule", Text: text})
	}
}
