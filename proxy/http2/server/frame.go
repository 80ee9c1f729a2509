package server

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// Frames that are sent are appended to a connection's output (RFC 9113 section 4.1): only their heads are made here.

const (
	frameHead = 9       // bytes of a frame's head
	mostFrame = 1 << 14 // bytes of a frame's payload that a client may send; SETTINGS_MAX_FRAME_SIZE's default
	// mostData is the most payload of a frame that we send: with its head it fills one record of TLS.
	mostData = mostFrame - frameHead
)

// appendHead appends the head of a frame.
func appendHead(b []byte, n int, t http2.FrameType, flags http2.Flags, id uint32) []byte {
	return append(b, byte(n>>16), byte(n>>8), byte(n), byte(t), byte(flags), byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
}

// setLength writes the length of the frame that begins at a place.
func setLength(b []byte, at, n int) {
	b[at], b[at+1], b[at+2] = byte(n>>16), byte(n>>8), byte(n)
}

func appendSetting(b []byte, id http2.SettingID, value uint32) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(id))
	return binary.BigEndian.AppendUint32(b, value)
}

func appendReset(b []byte, id uint32, code http2.ErrCode) []byte {
	return binary.BigEndian.AppendUint32(appendHead(b, 4, http2.FrameRSTStream, 0, id), uint32(code))
}

func appendWindowUpdate(b []byte, id uint32, n int) []byte {
	return binary.BigEndian.AppendUint32(appendHead(b, 4, http2.FrameWindowUpdate, 0, id), uint32(n))
}

func appendPing(b []byte, data [8]byte, flags http2.Flags) []byte {
	return append(appendHead(b, 8, http2.FramePing, flags, 0), data[:]...)
}

func appendGoAway(b []byte, last uint32, code http2.ErrCode) []byte {
	b = binary.BigEndian.AppendUint32(appendHead(b, 8, http2.FrameGoAway, 0, 0), last)
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

// splitBlock cuts the header block behind the head of a HEADERS frame at a place of b into frames of at most the
// given payload: HEADERS, then CONTINUATION (RFC 9113 section 6.10).
func splitBlock(b []byte, at, most int, id uint32) []byte {
	n := len(b) - at - frameHead
	if n <= most {
		setLength(b, at, n)
		b[at+4] |= byte(http2.FlagHeadersEndHeaders)
		return b
	}
	rest := append([]byte(nil), b[at+frameHead+most:]...)
	b = b[:at+frameHead+most]
	setLength(b, at, most)
	for len(rest) > 0 {
		k, flags := min(len(rest), most), http2.Flags(0)
		if k == len(rest) {
			flags = http2.FlagContinuationEndHeaders
		}
		b = append(appendHead(b, k, http2.FrameContinuation, flags, id), rest[:k]...)
		rest = rest[k:]
	}
	return b
}
