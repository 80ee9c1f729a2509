package cli

import (
	"os"
	"path/filepath"
)

// Layout is what httpd compiles in and each distribution has its own of.
type Layout struct {
	Root   string // HTTPD_ROOT: the first ServerRoot
	Config string // SERVER_CONFIG_FILE, from Root or absolute
	Pid    string // DEFAULT_PIDLOG
	Errors string // DEFAULT_ERRORLOG
	Score  string // DEFAULT_SCOREBOARD
	Types  string // AP_TYPES_CONFIG_FILE
	Files  string // DocumentRoot where none is set; -S prints it
}

var layouts = []Layout{
	{Root: "/etc/apache2", Config: "apache2.conf", Pid: "/run/apache2.pid", Errors: "logs/error_log", Score: "logs/apache_runtime_status", Types: "mime.types", Files: "/var/www/html"},
	{Root: "/srv/www", Config: "/etc/apache2/httpd.conf", Pid: "/run/httpd.pid", Errors: "/var/log/apache2/error_log", Score: "/var/log/apache2/apache_runtime_status", Types: "/etc/apache2/mime.types", Files: "/srv/www/htdocs"}, // SUSE
	{Root: "/etc/httpd", Config: "conf/httpd.conf", Pid: "run/httpd.pid", Errors: "logs/error_log", Score: "logs/apache_runtime_status", Types: "conf/mime.types", Files: "/etc/httpd/htdocs"},
	{Root: "/usr/local/apache2", Config: "conf/httpd.conf", Pid: "logs/httpd.pid", Errors: "logs/error_log", Score: "logs/apache_runtime_status", Types: "conf/mime.types", Files: "/usr/local/apache2/htdocs"},
}

// SystemLayout is the first whose configuration is there, else the last: upstream's.
func SystemLayout() Layout {
	for _, l := range layouts {
		if _, err := os.Stat(under(l.Root, l.Config)); err == nil {
			return l
		}
	}
	return layouts[len(layouts)-1]
}

// under is a path as it stands in a folder, unless it is absolute.
func under(folder, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// Files are the first ServerRoot and the configuration to read, both absolute: -d and -f, else the compiled ones.
func (o *Options) Files(l Layout) (root, file string) {
	root, file = l.Root, l.Config
	if o.Root != "" {
		root = o.Root
	}
	if abs, err := filepath.Abs(root); err == nil {
		root = abs // a server in the background leaves the directory that it was started in
	}
	if o.Config != "" {
		file = o.Config
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	return root, file
}
