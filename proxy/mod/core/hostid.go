package core

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// hostID is the name that httpd gives a virtual host in shared memory, "p59bfe437": it must stay
// the same from one start to the next, records hang on it. virthost and ip:port are of the host's
// first address: the word in <VirtualHost> before the port, and what it means; the main server has
// "", "0.0.0.0" and 0. Two hosts that have all four in common need something more in serverName
// (httpd: mod_proxy_balancer.c make_server_id, proxy_util.c ap_proxy_hashfunc).
func hostID(virthost, ip string, port uint16, serverName string) string {
	text := binary.NativeEndian.AppendUint16([]byte(virthost+ip), port)
	sum := md5.Sum(append(text, serverName...))
	var hash uint32
	for _, c := range []byte(hex.EncodeToString(sum[:])) {
		hash = uint32(c) + hash<<6 + hash<<16 - hash
	}
	return "p" + strconv.FormatUint(uint64(hash), 16)
}
