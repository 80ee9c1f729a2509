package expr

import (
	"encoding/asn1"
	"testing"
)

// Several attributes in one set of a name, as OpenSSL prints them.
func TestNamesWithSets(t *testing.T) {
	attribute := func(last int, value string) nameAttribute {
		full, err := asn1.MarshalWithParams(value, "utf8")
		if err != nil {
			t.Fatal(err)
		}
		return nameAttribute{ID: asn1.ObjectIdentifier{2, 5, 4, last}, Value: asn1.RawValue{FullBytes: full}}
	}
	raw, err := asn1.Marshal([]nameSetSET{{attribute(6, "DE")}, {attribute(11, "x"), attribute(11, "y+z")}, {attribute(3, "ann")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := oneLine(raw); got != `CN=ann,OU=y\+z+OU=x,C=DE` {
		t.Error(got)
	}
	if got := SlashName(raw); got != `/C=DE/OU=x+OU=y\+z/CN=ann` {
		t.Error(got)
	}
}
