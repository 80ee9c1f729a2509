package frames

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// Frames that are sent are appended to a connection's output (RFC 9113 section 4.1): only their heads are made here.

// Sizes of frames.
const (
	HeadSize   = 9       // bytes of a frame's head
	MaxPayload = 1 << 14 // bytes of a frame's payload that the other side may send; SETTINGS_MAX_FRAME_SIZE's default
	// MaxData is the most payload of a frame that we send: with its head it fills one record of TLS.
	MaxData = MaxPayload - HeadSize
)

// AppendHead appends the head of a frame.
func AppendHead(b []byte, n int, t http2.FrameType, flags http2.Flags, id uint32) []byte {
	return append(b, byte(n>>16), byte(n>>8), byte(n), byte(t), byte(flags), byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
}

// setLength writes the length of the frame that begins at a place.
func setLength(b []byte, at, n int) {
	b[at], b[at+1], b[at+2] = byte(n>>16), byte(n>>8), byte(n)
}

// AppendSettings appends a SETTINGS frame.
func AppendSettings(b []byte, settings ...http2.Setting) []byte {
	b = AppendHead(b, 6*len(settings), http2.FrameSettings, 0, 0)
	for _, s := range settings {
		b = binary.BigEndian.AppendUint16(b, uint16(s.ID))
		b = binary.BigEndian.AppendUint32(b, s.Val)
	}
	return b
}

// AppendSettingsAck appends the acknowledgement of SETTINGS.
func AppendSettingsAck(b []byte) []byte {
	return AppendHead(b, 0, http2.FrameSettings, http2.FlagSettingsAck, 0)
}

// AppendReset appends RST_STREAM.
func AppendReset(b []byte, id uint32, code http2.ErrCode) []byte {
	return binary.BigEndian.AppendUint32(AppendHead(b, 4, http2.FrameRSTStream, 0, id), uint32(code))
}

// AppendWindowUpdate appends WINDOW_UPDATE; stream 0 is the connection.
func AppendWindowUpdate(b []byte, id uint32, n int) []byte {
	return binary.BigEndian.AppendUint32(AppendHead(b, 4, http2.FrameWindowUpdate, 0, id), uint32(n))
}

// AppendPing appends PING.
func AppendPing(b []byte, data [8]byte, flags http2.Flags) []byte {
	return append(AppendHead(b, 8, http2.FramePing, flags, 0), data[:]...)
}

// AppendGoAway appends GOAWAY.
func AppendGoAway(b []byte, last uint32, code http2.ErrCode) []byte {
	b = binary.BigEndian.AppendUint32(AppendHead(b, 8, http2.FrameGoAway, 0, 0), last)
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

// SplitBlock cuts the header block behind the head of a HEADERS frame at a place of b into frames of at most
// MaxPayload, which every other side takes: HEADERS, then CONTINUATION (RFC 9113 section 6.10).
func SplitBlock(b []byte, at int, id uint32) []byte {
	n := len(b) - at - HeadSize
	if n <= MaxPayload {
		setLength(b, at, n)
		b[at+4] |= byte(http2.FlagHeadersEndHeaders)
		return b
	}
	rest := append([]byte(nil), b[at+HeadSize+MaxPayload:]...)
	b = b[:at+HeadSize+MaxPayload]
	setLength(b, at, MaxPayload)
	for len(rest) > 0 {
		k, flags := min(len(rest), MaxPayload), http2.Flags(0)
		if k == len(rest) {
			flags = http2.FlagContinuationEndHeaders
		}
		b = append(AppendHead(b, k, http2.FrameContinuation, flags, id), rest[:k]...)
		rest = rest[k:]
	}
	return b
}
