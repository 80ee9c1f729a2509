package directive

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"sync"
)

// httpdTable is every directive of httpd 2.4.71 with its modules loaded: module, name, arity,
// contexts, and the hint of the usage message.
//
//go:embed httpd.tsv
var httpdTable string

// moreTable is the directives of the modules that are seldom loaded (dav, dbd, ldap, lua, md …): their
// names and contexts are known, their words are not counted.
//
//go:embed more.tsv
var moreTable string

// catalog is both tables, parsed once.
var catalog = sync.OnceValue(func() map[string]*known {
	out := map[string]*known{}
	for _, line := range append(tableLines(httpdTable)[1:], tableLines(moreTable)...) {
		k := parseKnown(line)
		if first := out[strings.ToLower(k.name)]; first != nil {
			first.also, first.alsoHint = k.module, k.hint // HeartbeatStorage
			continue
		}
		out[strings.ToLower(k.name)] = &k
	}
	return out
})

func tableLines(table string) []string { return strings.Split(strings.TrimRight(table, "\n"), "\n") }

// Names are all directives of the table, in its order.
func Names() []string {
	var out []string
	for _, line := range tableLines(httpdTable)[1:] {
		out = append(out, strings.Split(line, "\t")[1])
	}
	return out
}

// builtins are the modules that are always there, in httpd's order.
var builtins = []string{"core_module", "so_module", "watchdog_module", "http_module", "log_config_module", "logio_module", "version_module", "unixd_module"}

// sources are the modules whose source file is not mod_NAME.c.
var sources = map[string]string{
	"core_module": "core.c", "http_module": "http_core.c", "mpm_event_module": "event.c", "mpm_worker_module": "worker.c", "mpm_prefork_module": "prefork.c",
}

// shared are the other modules of Debian's httpd, by name without "mod_" and ".so".
const shared = `access_compat actions alias allowmethods asis auth_basic auth_digest auth_form authn_anon authn_core authn_dbd
authn_dbm authn_file authn_socache authnz_fcgi authnz_ldap authz_core authz_dbd authz_dbm authz_groupfile authz_host authz_owner authz_user
autoindex brotli bucketeer buffer cache cache_disk cache_socache case_filter case_filter_in cern_meta cgi cgid charset_lite data dav dav_fs
dav_lock dbd deflate dialup dir dumpio echo env expires ext_filter file_cache filter headers heartbeat heartmonitor http2 ident imagemap include
info lbmethod_bybusyness lbmethod_byrequests lbmethod_bytraffic lbmethod_heartbeat ldap log_debug log_forensic lua macro md mime mime_magic
mpm_event mpm_prefork mpm_worker negotiation proxy proxy_ajp proxy_balancer proxy_connect proxy_express proxy_fcgi proxy_fdpass proxy_ftp proxy_hcheck
proxy_html proxy_http proxy_http2 proxy_scgi proxy_uwsgi proxy_wstunnel ratelimit reflector remoteip reqtimeout request rewrite sed session
session_cookie session_crypto session_dbd setenvif slotmem_plain slotmem_shm socache_dbm socache_memcache socache_redis socache_shmcb speling ssl
status substitute suexec systemd unique_id userdir usertrack vhost_alias xml2enc log_config logio version unixd watchdog so`

// obeyed are the modules of httpd that do here what they do there, as a whole or in good part: a configuration
// that is plainly a part of one has them all.
const obeyed = `access_compat actions alias auth_basic authn_core authn_file authz_core authz_groupfile authz_host authz_user cache cache_disk cache_socache dir env headers heartbeat heartmonitor http2
lbmethod_bybusyness lbmethod_byrequests lbmethod_bytraffic lbmethod_heartbeat macro mime mpm_event proxy proxy_ajp proxy_balancer proxy_connect proxy_express proxy_fcgi
proxy_hcheck proxy_http proxy_http2 proxy_scgi proxy_uwsgi
proxy_wstunnel reqtimeout rewrite setenvif slotmem_plain slotmem_shm socache_shmcb ssl status remoteip
brotli buffer deflate expires filter proxy_html ratelimit request sed substitute unique_id xml2enc`

// Obeyed are the LoadModule identifiers of the modules that are obeyed here and need a LoadModule.
func Obeyed() []string {
	var out []string
	for _, n := range strings.Fields(obeyed) {
		out = append(out, n+"_module")
	}
	return out
}

// plumbing are modules that do nothing by themselves: whoever loads mod_proxy_balancer has them.
var plumbing = []string{"lbmethod_byrequests", "lbmethod_bytraffic", "lbmethod_bybusyness", "slotmem_shm", "slotmem_plain"}

var sharedSet = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Fields(shared) {
		out[n+"_module"] = true
	}
	return out
})

// Catalog is httpd's own table as the reading needs it: an apacheconf.ModuleSet.
type Catalog struct{}

// Source is the source file of a module by its LoadModule identifier.
func (Catalog) Source(ident string) (source string, builtin, ok bool) {
	for _, b := range builtins {
		builtin = builtin || b == ident
	}
	if src := sources[ident]; src != "" {
		return src, builtin, true
	}
	if builtin || sharedSet()[ident] {
		return "mod_" + strings.TrimSuffix(ident, "_module") + ".c", builtin, true
	}
	if f := foreignByIdent(ident); f != nil {
		return f.sources[0], false, true
	}
	return "", false, false
}

// Sources are the other names that <IfModule> may have for a module: of foreign ones, of which there are several
// versions, and of those of which nothing is known.
func (Catalog) Sources(ident string) []string {
	if f := foreignByIdent(ident); f != nil {
		return append(f.idents[:len(f.idents):len(f.idents)], f.sources...)
	}
	if _, _, known := (Catalog{}).Source(ident); known {
		return nil
	}
	return []string{"mod_" + strings.TrimSuffix(ident, "_module") + ".c"}
}

// Provider is the source file of the module that has a directive.
func (Catalog) Provider(directive string) (string, bool) {
	k := catalog()[strings.ToLower(directive)]
	if k == nil {
		return "", false
	}
	return k.module, true
}

// Spelling is a directive's name as its module registers it; one that nobody has stays as it is.
func (Catalog) Spelling(directive string) string {
	if k := catalog()[strings.ToLower(directive)]; k != nil {
		return k.name
	}
	return directive
}

// Builtins are the identifiers of the modules that are always there.
func (Catalog) Builtins() []string { return builtins }

// Builtin reports whether a module needs no LoadModule: "(static)" in -M.
func Builtin(ident string) bool {
	for _, b := range builtins {
		if b == ident {
			return true
		}
	}
	return false
}

// PrintUsage writes what -L shows: every directive of the loaded modules with where it may stand.
func PrintUsage(w io.Writer, loaded map[string]bool, help map[string]string) {
	for _, name := range Names() {
		k := catalog()[strings.ToLower(name)]
		if !loaded[k.module] {
			continue
		}
		text := k.hint
		if h := help[strings.ToLower(name)]; h != "" {
			text = h
		}
		fmt.Fprintf(w, "%s (%s)\n\t%s\n\t%s\n", k.name, k.module, text, k.allowed())
	}
}

func (k *known) allowed() string {
	server, dir := k.where&Server != 0, k.where&Dir != 0
	out := "Allowed in *.conf "
	switch {
	case server && dir:
		out += "anywhere"
	case server:
		out += "only outside <Directory>, <Files>, <Location>, or <If>"
	default:
		out += "only inside <Directory>, <Files>, <Location>, or <If>"
	}
	switch k.htdoc {
	case "":
	case "any":
		out += " and in .htaccess\n\twhen AllowOverride isn't None"
	default:
		out += " and in .htaccess\n\twhen AllowOverride includes " + k.htdoc
	}
	return out
}

// Structural tells of a directive that acts while the text is read, or makes a section that the site
// knows: no module's table has it, and it is obeyed all the same.
func Structural(name string) bool {
	low := strings.ToLower(name)
	return sectionKinds[low] != 0 || isLimit(name) || readers[low]
}

var readers = set(`include includeoptional define undefine serverroot defaultruntimedir loadmodule loadfile <ifdefine <ifmodule <iffile <ifdirective
<ifsection <ifversion <macro use undefmacro`)
