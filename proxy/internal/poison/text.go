package poison

// Byte is what bytes are overwritten with: no text that is received or made holds it alone.
const Byte = 0xdb

// Text is what texts in tables and structs are overwritten with.
const Text = "\xdb\xdb given back \xdb\xdb"
