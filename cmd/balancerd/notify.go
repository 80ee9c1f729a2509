package main

import (
	"net"
	"os"
	"strconv"
	"time"
)

// notify tells the service manager how the server is, where it asks to be told (sd_notify(3)): a
// unit of Type=notify, as httpd's own with mod_systemd, waits for READY=1.
func notify(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	if name[0] == '@' {
		name = "\x00" + name[1:]
	}
	c, err := net.Dial("unixgram", name)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(time.Second))
	c.Write([]byte(state + "\nMAINPID=" + strconv.Itoa(os.Getpid()) + "\n"))
}

// The states.
const (
	notifyReady     = "READY=1\nSTATUS=serving"
	notifyReloading = "RELOADING=1\nSTATUS=reading the configuration"
	notifyStopping  = "STOPPING=1\nSTATUS=ending"
)
