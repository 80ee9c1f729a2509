package process

import (
	"net"
	"os"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// Program is what the reader and the serving process work with. Each has one of its own.
type Program struct {
	Modules []site.Module
	Farm    *balancer.Farm
	Server  *server.Server

	// Parse reads the configuration: what the text says.
	Parse func() (*apacheconf.Tree, error)
	// Build builds a configuration as httpd's -t looks at it: no certificate, no log, no socket.
	Build func(*apacheconf.Tree, directive.FileSystem) (*site.Site, []site.Notice, error)
	// Load puts a configuration in force. When it fails, whatever served before goes on serving.
	Load func(*Attempt) (*site.Site, error)
}

// Assemble makes a Program for a call; package main has it.
type Assemble func(*cli.Command) *Program

// Attempt is a configuration on its way to be served.
type Attempt struct {
	Tree       *apacheconf.Tree
	Files      directive.FileSystem
	From       Opener
	Generation int
	StateDir   string // where balancers' state is kept, absolute; "": nowhere
	Broken     string // why the main process can't obey it, should nothing else be wrong

	Noticed []site.Notice // what the reading, the directives and the modules noticed so far
	Hints   []string      // lines, once the site is built
}

// Opener gives a load what takes the rights of the main process.
type Opener interface {
	// OpenLogs opens the logs; OpenLog is one of them, as directive.Options wants it.
	OpenLogs() error
	OpenLog(target string) (*os.File, error)
	// OpenSockets opens the addresses that are not open yet.
	OpenSockets(next *site.Site) (map[string]*net.TCPListener, error)
}

// StartError is a start's failure in the words of another process: an Attempt's Broken.
type StartError struct{ Words string }

func (e *StartError) Error() string { return e.Words }
