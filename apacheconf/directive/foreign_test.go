package directive

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"balancerd/apacheconf"
)

// TestForeignModules: each is told by its name, in and outside of <IfModule>, and those that guard refuse
// the start unless they are given up.
func TestForeignModules(t *testing.T) {
	for _, c := range []struct {
		ident, source, line, module string
		guards                      bool
	}{
		{"security2_module", "mod_security2.c", "SecRuleEngine On", "security2", true},
		{"security3_module", "mod_security3.c", "modsecurity on", "security3", true},
		{"evasive20_module", "mod_evasive20.c", "DOSPageCount 2", "evasive20", true},
		{"evasive_module", "mod_evasive24.c", "DOSPageCount 2", "evasive20", true},
		{"qos_module", "mod_qos.c", "QS_SrvMaxConnPerIP 30", "qos", true},
		{"auth_openidc_module", "mod_auth_openidc.c", "OIDCClientID x", "auth_openidc", true},
		{"mod_shib", "mod_shib.cpp", "ShibRequestSetting requireSession 1", "shib", true},
		{"auth_mellon_module", "mod_auth_mellon.c", "MellonEnable auth", "auth_mellon", true},
		{"auth_gssapi_module", "mod_auth_gssapi.c", "GssapiCredStore keytab:/x", "auth_gssapi", true},
		{"jk_module", "mod_jk.c", "JkMount /x w", "jk", false},
		{"weblogic_module", "mod_wl_ohs.c", "WebLogicHost x", "weblogic", false},
		{"was_ap22_module", "mod_was_ap22_http.c", "WebSpherePluginConfig /x", "was_ap22", false},
		{"manager_module", "mod_manager.c", "EnableWsTunnel", "proxy_cluster", false},
		{"smooth_streaming_module", "mod_smooth_streaming.c", "UspHandleIsm on", "smooth_streaming", false},
		{"md_module", "mod_md.c", "MDomain a.example", "md", false},
		{"passenger_module", "mod_passenger.c", "PassengerRoot /x", "passenger", false},
	} {
		for _, text := range []string{c.line, "<IfModule " + c.ident + ">\n" + c.line + "\n</IfModule>", "<IfModule " + c.source + ">\n" + c.line + "\n</IfModule>",
			"<Location /x>\n" + c.line + "\n</Location>"} {
			if c.module == "md" && strings.HasPrefix(text, "<Location") {
				continue // httpd does not allow it there
			}
			for _, given := range []bool{false, true} {
				text := "LoadModule " + c.ident + " x.so\n" + text + "\n"
				if given {
					text += "Define BALANCERD_WITHOUT_" + c.module + "\n"
				}
				conf, err := load(t, text)
				if err != nil {
					t.Errorf("%s: %v", text, err)
					continue
				}
				i := slices.IndexFunc(conf.Hints, func(h Hint) bool { return h.Name == strings.Fields(c.line)[0] })
				if i < 0 || !strings.Contains(conf.Hints[i].Text, " belongs to mod_"+c.module+", ") || conf.Hints[i].Refuse != (c.guards && !given) {
					t.Errorf("%s: %+v", text, conf.Hints)
				}
			}
		}
		_, err := load(t, c.line+"\n")
		var e *apacheconf.Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Msg, "Invalid command '") || !strings.Contains(e.Hint, " belongs to mod_"+c.module+", ") {
			t.Errorf("%s, not loaded: %v", c.line, err)
		}
	}
	for _, text := range []string{"LoadModule security2_module x\nSecRuleEngine Off\n", "<IfModule mod_security2.c>\nSecRuleEngine On\n</IfModule>\n", "LoadModule security2_module x\n"} {
		if conf, err := load(t, text); err != nil || slices.ContainsFunc(conf.Hints, func(h Hint) bool { return h.Refuse }) {
			t.Errorf("%s: %v %+v", text, err, conf.Hints)
		}
	}
}

// TestForeignPrefixes: no prefix takes a directive of httpd's, and no two modules the same one.
func TestForeignPrefixes(t *testing.T) {
	for i, f := range foreigns {
		for name := range catalog() {
			if f.has(name) {
				t.Errorf("%s is httpd's, and %s would take it", name, f.name)
			}
		}
		for _, g := range foreigns[i+1:] {
			for _, p := range f.prefixes {
				if slices.Contains(g.prefixes, p) {
					t.Errorf("%s and %s share %s", f.name, g.name, p)
				}
			}
		}
		if f.what == "" || f.instead == "" {
			t.Errorf("%s: nothing to say", f.name)
		}
	}
}

func TestObeyedModulesAreKnown(t *testing.T) {
	for _, ident := range Obeyed() {
		if _, builtin, ok := (Catalog{}).Source(ident); builtin || !ok {
			t.Errorf("%s: builtin %v, known %v", ident, builtin, ok)
		}
	}
}

// TestContentModulesAreAbsent: of a module that is obeyed nobody is told that answers pass as they are.
func TestContentModulesAreAbsent(t *testing.T) {
	for _, ident := range Obeyed() {
		if source, _, _ := (Catalog{}).Source(ident); contentModules[source] {
			t.Errorf("%s is obeyed", source)
		}
	}
}

// TestPlumbing: the methods and the memory of balancers come with mod_proxy_balancer.
func TestPlumbing(t *testing.T) {
	conf, err := load(t, "")
	if err != nil || !conf.Loaded("mod_lbmethod_bybusyness.c") || !conf.Loaded("slotmem_shm_module") {
		t.Error(err, "without them")
	}
}

// TestUnknownModules: a module that nobody here has heard of is there under the name that its source most
// likely has, and its directives are accepted once it is given up.
func TestUnknownModules(t *testing.T) {
	so := filepath.Join(t.TempDir(), "mod_odd.so")
	if err := os.WriteFile(so, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	text := "LoadModule odd_module " + so + "\n<IfModule mod_odd.c>\nOddDoorkeeperSetting On\n</IfModule>\n"
	_, err := load(t, text)
	var e *apacheconf.Error
	if !errors.As(err, &e) || !strings.HasPrefix(e.Msg, "Invalid command 'OddDoorkeeperSetting'") || !strings.Contains(e.Hint, "Define BALANCERD_WITHOUT_odd") {
		t.Errorf("%v", err)
	}
	conf, err := load(t, "Define BALANCERD_WITHOUT_odd\n"+text)
	if err != nil || !slices.ContainsFunc(conf.Hints, func(h Hint) bool { return h.Name == "OddDoorkeeperSetting" && h.Module == "odd" && !h.Refuse }) {
		t.Errorf("%v %+v", err, conf)
	}
}
