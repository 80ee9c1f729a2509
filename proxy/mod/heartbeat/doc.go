// Package heartbeat is httpd's mod_lbmethod_heartbeat: the directive HeartbeatStorage names the file from which
// the lbmethod "heartbeat" reads how loaded members are. The method itself is balancer/method.Heartbeat.
//
//	HeartbeatStorage --> Module (module.go) --on commit--> method.Heartbeat.SetStorage
package heartbeat
