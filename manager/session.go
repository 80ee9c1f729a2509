package manager

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/gorilla/securecookie"
)

const (
	noticeCookie = "balancer-notice"
	noticeAge    = 300  // seconds; an older edit is not worth a notice
	noticeSize   = 1000 // bytes; cookies are small
)

// session carries a notice from an edit to the same browser's next page, in a signed cookie: nothing
// is kept here, and nobody can put words on the page.
type session struct{ codec *securecookie.SecureCookie }

func newSession(key []byte) *session {
	if len(key) == 0 {
		key = make([]byte, 32)
		rand.Read(key)
	}
	return &session{securecookie.New(key, nil).MaxAge(noticeAge).SetSerializer(securecookie.JSONEncoder{})}
}

// leave has the browser bring notice back. A cookie that can't be made is left out: the edit holds.
func (s *session) leave(w http.ResponseWriter, r *http.Request, notice string) {
	if len(notice) > noticeSize {
		notice = strings.ToValidUTF8(notice[:noticeSize], "") + " …"
	}
	if text, err := s.codec.Encode(noticeCookie, notice); err == nil {
		setCookie(w, r, text, noticeAge)
	}
}

// take is the notice that the browser brings, "" for none. It is shown once.
func (s *session) take(w http.ResponseWriter, r *http.Request) (notice string) {
	c, err := r.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	setCookie(w, r, "", -1)
	w.Header().Set("Cache-Control", "no-store")
	if s.codec.Decode(noticeCookie, c.Value, &notice) != nil {
		return ""
	}
	return notice
}

func setCookie(w http.ResponseWriter, r *http.Request, value string, age int) {
	path := linkPath(r.URL.Path)
	if strings.Contains(path, ";") {
		path = "/"
	}
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Value: value, Path: path, MaxAge: age,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}
