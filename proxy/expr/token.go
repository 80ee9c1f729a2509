package expr

// token is what the scanner finds. The names are those that httpd's messages use (httpd:
// util_expr_parse.y), and their order is that in which a message lists what was expected.
type token uint8

const (
	tEnd token = iota
	tTrue
	tFalse
	tError
	tDigit
	tID
	tString
	tRegex
	tRegexI
	tBackref
	tUnary
	tBinary
	tStrBegin
	tStrEnd
	tVarBegin
	tVarEnd
	tEQ
	tNE
	tLT
	tLE
	tGT
	tGE
	tReg
	tNRE
	tIn
	tStrEQ
	tStrNE
	tStrLT
	tStrLE
	tStrGT
	tStrGE
	tConcat
	tOr
	tAnd
	tNot
	tOpen
	tClose
	tBraceOpen
	tBraceClose
	tComma
	tColon
)

var tokenNames = [...]string{tEnd: "$end", tTrue: "T_TRUE", tFalse: "T_FALSE", tError: "T_ERROR", tDigit: "T_DIGIT", tID: "T_ID",
	tString: "T_STRING", tRegex: "T_REGEX", tRegexI: "T_REGEX_I", tBackref: "T_REGEX_BACKREF", tUnary: "T_OP_UNARY",
	tBinary: "T_OP_BINARY", tStrBegin: "T_STR_BEGIN", tStrEnd: "T_STR_END", tVarBegin: "T_VAR_BEGIN", tVarEnd: "T_VAR_END",
	tEQ: "T_OP_EQ", tNE: "T_OP_NE", tLT: "T_OP_LT", tLE: "T_OP_LE", tGT: "T_OP_GT", tGE: "T_OP_GE", tReg: "T_OP_REG",
	tNRE: "T_OP_NRE", tIn: "T_OP_IN", tStrEQ: "T_OP_STR_EQ", tStrNE: "T_OP_STR_NE", tStrLT: "T_OP_STR_LT", tStrLE: "T_OP_STR_LE",
	tStrGT: "T_OP_STR_GT", tStrGE: "T_OP_STR_GE", tConcat: "T_OP_CONCAT", tOr: "T_OP_OR", tAnd: "T_OP_AND", tNot: "T_OP_NOT",
	tOpen: "'('", tClose: "')'", tBraceOpen: "'{'", tBraceClose: "'}'", tComma: "','", tColon: "':'"}

func (t token) String() string { return tokenNames[t] }

// keywords are words that are no identifiers; small letters only.
var keywords = map[string]token{"true": tTrue, "false": tFalse, "and": tAnd, "or": tOr, "not": tNot, "in": tIn,
	"eq": tEQ, "ne": tNE, "lt": tLT, "le": tLE, "gt": tGT, "ge": tGE}

// dashed are the operators with a dash that are no functions.
var dashed = map[string]token{"in": tIn, "eq": tEQ, "ne": tNE, "lt": tLT, "le": tLE, "gt": tGT, "ge": tGE}

// symbols are the operators of two characters, then those of one.
var symbols = [...]struct {
	text string
	t    token
}{{"==", tStrEQ}, {"=~", tReg}, {"!=", tStrNE}, {"!~", tNRE}, {"<=", tStrLE}, {">=", tStrGE}, {"&&", tAnd}, {"||", tOr},
	{"=", tStrEQ}, {"!", tNot}, {"<", tStrLT}, {">", tStrGT}, {".", tConcat}, {"(", tOpen}, {")", tClose},
	{"{", tBraceOpen}, {"}", tBraceClose}, {",", tComma}, {":", tColon}}
