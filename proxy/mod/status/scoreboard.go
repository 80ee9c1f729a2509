package status

import "time"

// Scoreboard is the server's account of itself. It must be safe for use by many goroutines; the page
// asks once a request.
type Scoreboard interface {
	// Snapshot is how things stand now. The caller owns what it gets.
	Snapshot() Snapshot
}

// Snapshot is one reading of the scoreboard.
type Snapshot struct {
	Started    time.Time // of this run, a reload does not change it
	Config     int       // how many configurations were read (httpd: ParentServerConfigGeneration), 1 at first
	Generation int       // how many reloads there were (httpd: ParentServerMPMGeneration), 0 at first

	Accesses int64         // requests served since Started
	Bytes    int64         // body and head bytes sent in answers
	Duration time.Duration // the sum of the time that the requests took

	States [States]int // how many workers are in each state; Idle is what is left of MaxRequestWorkers
	Loads  []Load      // the running configuration first, then those that still finish their connections
	Slots  []Slot      // the exchanges under way, and the last ones of idle workers if that is known
}

// Load is the work of one configuration: where httpd has a child process.
type Load struct {
	Stopping    bool // it takes no new connections and finishes those it has
	Old         bool // it belongs to an older generation
	Connections int  // all that are open
	Accepting   bool
	Busy        int // exchanges under way
	Graceful    int // exchanges of a configuration that is stopping
	Idle        int // how many more exchanges may begin
	WaitIO      int // connections that wait for the client to send or take bytes
	Writing     int // connections that still write an answer after its exchange ended
	KeepAlive   int // connections that wait for the next request
	Closing     int // connections in lingering close
}

// Slot is one worker with its present or last exchange.
type Slot struct {
	State      State
	Generation int
	Kept       int           // requests on this connection so far
	Accesses   int64         // requests of this slot so far
	Since      time.Time     // when the present exchange began, or the last one
	Took       time.Duration // of the last exchange that ended
	Duration   time.Duration // of all exchanges of this slot
	ConnBytes  int64         // sent on this connection
	Bytes      int64         // sent by this slot
	Client     string        // its address
	Protocol   string        // "http/1.1", "h2"
	VHost      string        // "name:port"
	Request    string        // the request line
}

// State is what a worker does just now.
type State uint8

// The states, in the order of the scoreboard line.
const (
	Reading State = iota
	Sending
	Resolving
	Logging
	Closing
	KeepingAlive
	Graceful
	Starting
	Stopping
	Idle
	Open   // a slot that nobody uses
	States // how many there are
)

// states is the table of letters and words: the letter stands in the scoreboard, in bold in the table
// when the worker is at work; word is what ?notable prints.
var states = [States]struct {
	letter byte
	busy   bool
	word   string
}{
	Reading:      {'R', true, "Read"},
	Sending:      {'W', true, "Write"},
	Resolving:    {'D', true, "DNS lookup"},
	Logging:      {'L', true, "Logging"},
	Closing:      {'C', true, "Closing"},
	KeepingAlive: {'K', true, "Keepalive"},
	Graceful:     {'G', false, "Graceful"},
	Starting:     {'S', true, "Starting"},
	Stopping:     {'I', false, "Dying"},
	Idle:         {'_', false, "Ready"},
	Open:         {'.', false, "Dead"},
}

// Letter is the state's place in the scoreboard line (httpd: mod_status.c status_flags).
func (s State) Letter() string { return string(states[s].letter) }

// Busy tells whether a worker in this state serves somebody.
func (s State) Busy() bool { return states[s].busy }

// Word is the state for ?notable.
func (s State) Word() string { return states[s].word }

// Balancer is one of the virtual host's balancers, for the proxy's part of the page.
type Balancer struct {
	Name       string // "balancer://app"
	Sticky     string // the cookie's name, "" for none
	StickyPath string // the URL parameter's name
	Timeout    time.Duration
	Method     string
	Members    []Member
}

// Member is one member of a balancer.
type Member struct {
	Name     string // its URL, without a socket's path
	Scheme   string
	Host     string // without port
	Status   string // "Init Ok "
	Route    string
	Redirect string
	Factor   int // in hundredths
	Set      int
	Elected  int64
	Busy     int64
	Sent     int64 // bytes
	Received int64 // bytes
}
