package status

import (
	"balancerd/proxy/snapshot"
	"bytes"
	"fmt"
)

// auto prints the view for machines: "Key: value" lines in httpd's order (httpd: mod_status.c with
// short_report, mod_proxy.c proxy_status_hook).
func auto(v *view) ([]byte, error) {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, "%s\nServerVersion: %s\nServerMPM: %s\nServer Built: %s\n", v.Name, v.Version, v.MPM, v.Built)
	fmt.Fprintf(b, "CurrentTime: %s\nRestartTime: %s\n", dateText(v.Now), dateText(v.Started))
	fmt.Fprintf(b, "ParentServerConfigGeneration: %d\nParentServerMPMGeneration: %d\n", v.ConfigGeneration(), v.Reloads)
	fmt.Fprintf(b, "ServerUptimeSeconds: %d\nServerUptime:%s\n", int64(v.seconds()), uptimeText(v.uptime()))
	fmt.Fprintf(b, "Load1: %.2f\nLoad5: %.2f\nLoad15: %.2f\n", v.Load[0], v.Load[1], v.Load[2])
	if v.Extended {
		autoTotals(b, v)
	}
	fmt.Fprintf(b, "BusyWorkers: %d\nGracefulWorkers: %d\nIdleWorkers: %d\n", v.BusyWorkers(), 0, v.IdleWorkers())
	t := v.Total()
	fmt.Fprintf(b, "Processes: %d\nStopping: %d\nConnsTotal: %d\n", len(v.Processes()), v.Stopping(), t.Connections)
	fmt.Fprintf(b, "ConnsAsyncWaitIO: %d\nConnsAsyncWriting: %d\nConnsAsyncKeepAlive: %d\nConnsAsyncClosing: %d\n",
		t.WaitIO, t.Writing, t.KeepAlive, t.Closing)
	fmt.Fprintf(b, "Scoreboard: %s\n", v.scoreboard())
	for i := range v.Balancers {
		autoBalancer(b, i, &v.Balancers[i])
	}
	return b.Bytes(), nil
}

// autoTotals leaves the rates out while there is nothing to divide by.
func autoTotals(b *bytes.Buffer, v *view) {
	fmt.Fprintf(b, "Total Accesses: %d\nTotal kBytes: %d\nTotal Duration: %d\n", v.Requests, v.kilobytes(), v.milliseconds())
	fmt.Fprintf(b, "CPUUser: %s\nCPUSystem: %s\nCPUChildrenUser: %s\nCPUChildrenSystem: %s\n",
		general(v.CPU.User, 6), general(v.CPU.System, 6), general(v.CPU.ChildUser, 6), general(v.CPU.ChildSystem, 6))
	up := v.seconds()
	if v.CPU.sum() > 0 && up > 0 {
		fmt.Fprintf(b, "CPULoad: %s\n", v.cpuLoad(6))
	}
	fmt.Fprintf(b, "Uptime: %d\n", int64(up))
	if up > 0 {
		fmt.Fprintf(b, "ReqPerSec: %s\nBytesPerSec: %s\n", general(float64(v.Requests)/up, 6), general(kilo*float64(v.kilobytes())/up, 6))
	}
	if v.Requests > 0 {
		n := float64(v.Requests)
		fmt.Fprintf(b, "BytesPerReq: %s\nDurationPerReq: %s\n", general(kilo*float64(v.kilobytes())/n, 6), general(float64(v.milliseconds())/n, 6))
	}
}

func autoBalancer(b *bytes.Buffer, i int, lb *snapshot.Balancer) {
	fmt.Fprintf(b, "ProxyBalancer[%d]Name: %s\n", i, oneLine(lb.Name))
	for n := range lb.Members {
		m := &lb.Members[n]
		for _, row := range [...]struct {
			key   string
			value any
		}{
			{"Name", oneLine(m.Name)}, {"Status", m.Status.String()}, {"Elected", m.Elected}, {"Busy", m.Busy},
			{"Sent", kilobytes(m.Sent)}, {"Rcvd", kilobytes(m.Read)},
		} {
			fmt.Fprintf(b, "ProxyBalancer[%d]Worker[%d]%s: %v\n", i, n, row.key, row.value)
		}
	}
}

func kilobytes(n int64) string { return fmt.Sprintf("%dK", n>>10) }
