package mpm

import (
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// Module is what MPMs and mod_unixd say of the process. pidFile is DEFAULT_PIDLOG, the PidFile of a configuration that
// has none; without it, httpd.pid in the runtime directory.
func Module(pidFile ...string) site.Module {
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		scopes.In(c.Main).fill(st, strings.Join(pidFile, ""))
		return nil, nil
	}
	return site.Module{Name: "mpm_event", Open: open, Table: directive.Table{
		{Name: "Listen", Process: true, Set: setListen, Help: "an address and port to serve on"},
		{Name: "PidFile", Process: true, Set: setPidFile, Help: "where the process id is written"},
		{Name: "User", Process: true, Set: setUser, Help: "who serves when started as root"},
		{Name: "Group", Process: true, Set: setGroup, Help: "which group serves when started as root"},
		{Name: "ListenBacklog", Process: true, Set: setBacklog, Help: "connections waiting to be accepted"},
		{Name: "SendBufferSize", Process: true, Set: setBuffer(func(p *settings) *int { return &p.sendBuffer }), Help: "bytes of a socket's send buffer"},
		{Name: "ReceiveBufferSize", Process: true, Set: setBuffer(func(p *settings) *int { return &p.receiveBuffer }), Help: "bytes of a socket's receive buffer"},
		{Name: "GracefulShutdownTimeout", Process: true, Set: setProcess(func(p *settings) *int { return &p.gracefulSeconds }), Help: "seconds a graceful stop may take"},
		{Name: "ThreadsPerChild", Set: setProcess(func(p *settings) *int { return &p.threadsPerChild }), Help: "what the status page calls workers; goroutines need no such bound"},
		{Name: "MaxRequestWorkers", Set: setProcess(func(p *settings) *int { return &p.maxWorkers }), Help: "shown by the status page", Partial: noLimit},
		{Name: "MaxClients", Set: setProcess(func(p *settings) *int { return &p.maxWorkers }), Help: "old name of MaxRequestWorkers", Partial: noLimit},

		{Name: "ScoreBoardFile", Ignored: &directive.Ignored{Main: true, Tuning: true}},
		{Name: "MaxRequestsPerChild", Ignored: &directive.Ignored{Main: true, Tuning: true}},
		{Name: "MaxConnectionsPerChild", Ignored: &directive.Ignored{Main: true, Tuning: true}},
		{Name: "CoreDumpDirectory", Ignored: &directive.Ignored{Main: true, Tuning: true}},
		{Name: "MaxMemFree", Ignored: &directive.Ignored{Main: true, Tuning: true}},
		{Name: "ThreadStackSize", Ignored: &directive.Ignored{Main: true, Tuning: true}},
		{Name: "ChrootDir", Ignored: &directive.Ignored{Closes: directive.Always, Main: true}},
		{Name: "Suexec", Ignored: &directive.Ignored{Main: true}},
	}}
}

const noLimit = "the number is only shown: connections are bounded by the descriptors of the process"
