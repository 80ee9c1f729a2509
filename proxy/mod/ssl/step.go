package ssl

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// build adds to each plan what its chain says. A site without TLS in front and without SSLRequire… has
// no steps.
func (l load) build(chain []*directive.Scope, p *site.Plan) error {
	d := dirs.Merged(chain...)
	if len(l.hosts) > 0 {
		p.Add(site.Early, "SSLStrictSNIVHostCheck", l.siteTLS.early)
		p.Add(site.Access, "SSLUserName", newNaming(d.options).step)
		p.Add(site.Fixup, "SSLOptions", newExport(d.options).step)
	}
	if g := l.siteTLS.newGate(chain, &d); g != nil {
		p.Add(site.Access, "SSLRequire", g.step)
	}
	return nil
}

const (
	notePlain = "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme to access this URL, please.<br />\n"
	noteSNI   = "Reason: The client software did not provide a hostname using Server Name Indication (SNI), which is required to access this server.<br />\n"
	noteLater = "Reason: Cannot perform Post-Handshake Authentication.<br />"
)

// early refuses requests that the connection's handshake was not for
// (httpd: ssl_engine_kernel.c ssl_hook_ReadReq).
func (f *siteTLS) early(_ context.Context, x *exchange.Exchange) error {
	if !x.Main() {
		return nil
	}
	if x.Conn.TLS == nil {
		first, _ := f.site.Find(x.Conn.Local, "")
		if f.hosts[first] == nil {
			return nil
		}
		x.RawNote = notePlain
		return exchange.Status(400)
	}
	name := x.Conn.TLS.ServerName
	asked, at := site.HostOf(x), f.handshakeHost(x.Conn.Local, name)
	if name != "" && x.Req.Host == "" {
		x.Log("ssl", exchange.Error, nil, "AH02031: Hostname "+name+" provided via SNI, but no hostname provided in HTTP request")
		return exchange.Status(400)
	}
	if name == "" && (f.strict(asked) || f.strict(at)) && len(asked.Addresses) > 0 {
		x.Log("ssl", exchange.Info, nil, "AH02033: No hostname was provided via SNI for a name based virtual host")
		x.RawNote = noteSNI
		return exchange.Status(403)
	}
	if asked == at || f.policy.serves(f.hosts[at], f.hosts[asked]) {
		return nil
	}
	via := "provided via SNI"
	if name == "" {
		name, via = at.Server.Name, "(default host as no SNI was provided)"
	}
	x.Log("ssl", exchange.Error, nil, "AH02032: Hostname "+name+" "+via+" and hostname "+x.Req.Host+" provided via HTTP have no compatible SSL setup for policy '"+policyNames[f.policy]+"'")
	return exchange.Status(421)
}

var policyNames = [...]string{policySecure: "secure", policyStrict: "strict", policyAuthOnly: "authonly", policyInsecure: "insecure"}

// strict is SSLStrictSNIVHostCheck.
func (f *siteTLS) strict(h *site.Host) bool {
	o := f.hosts[h]
	return o != nil && o.set.strictSNI.Or(false)
}
