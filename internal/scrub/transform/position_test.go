package transform

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// columnOf is a column of a type of the server's own.
func columnOf(sql string) *schema.Column {
	name, _, _ := strings.Cut(sql, "(")
	return &schema.Column{Table: &schema.Table{Name: schema.Name{Schema: "public", Table: "homes"}}, Name: "at", SQL: sql,
		Base: schema.Type{Schema: "pg_catalog", Name: name, Kind: "b"}}
}

// positionOf is the recipe on a column of a type.
func positionOf(sql string, meters int) *Recipe {
	return New(columnOf(sql), &spec.Rule{Transform: Position, Link: "home", Meters: meters}, domain("link home"), Env{})
}

func movedBy(t testing.TB, r *Recipe, value string) string {
	t.Helper()
	out, err := NewMasker(testKey).Append(nil, r, []byte(value), []byte(value))
	if err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return string(out)
}

func degree(t testing.TB, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Whatever a place is, it moves by as many meters as are asked for and at most
// twice as many, stays on the globe, and keeps the form of its type.
func TestPositionMoves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		places := rapid.IntRange(0, 9).Draw(rt, "places")
		limit := rapid.SampledFrom([]float64{0.001, 90, 180}).Draw(rt, "limit")
		at := rapid.Float64Range(-limit, limit).Draw(rt, "at")
		meters := rapid.IntRange(1000, 1_000_000).Draw(rt, "meters")
		value := strconv.FormatFloat(at, 'f', places, 64)
		for _, sql := range []string{fmt.Sprintf("numeric(12,%d)", places), "numeric", "float8", "text"} {
			out := movedBy(t, positionOf(sql, meters), value)
			far := math.Abs(degree(t, out)-degree(t, value)) * metersPerDegree
			step := math.Pow10(-places) * metersPerDegree
			if far < float64(meters)*0.999 || far > 2*float64(meters)+1.001*step {
				rt.Fatalf("%s: %s became %s, %.0f of %d meters away", sql, value, out, far, meters)
			}
			if math.Abs(degree(t, out)) > 180 || math.Abs(degree(t, value)) <= 90 && math.Abs(degree(t, out)) > 90 {
				rt.Fatalf("%s: %s became %s", sql, value, out)
			}
			if strings.HasPrefix(sql, "numeric(") && scaleOf(out) != places {
				rt.Fatalf("%s: %s became %s", sql, value, out)
			}
		}
	})
}

// Places of one cell move alike, however they are written: no mean of many fixes of
// one home tells where it is.
func TestPositionsOfOnePlace(t *testing.T) {
	t.Parallel()
	r := positionOf("float8", 5000)
	shifts := map[string]bool{}
	for _, at := range []string{"52.520008", "52.520009", "52.520000", "52.520100"} {
		shifts[fmt.Sprintf("%.4f", degree(t, movedBy(t, r, at))-degree(t, at))] = true
	}
	if len(shifts) > 2 { // by rounding
		t.Errorf("one place moves by %v", shifts)
	}
	numeric := movedBy(t, positionOf("numeric(9,6)", 5000), "52.520008")
	if float := movedBy(t, r, "52.520008"); float != strings.TrimRight(numeric, "0") {
		t.Errorf("in two columns it becomes %s and %s", float, numeric)
	}
	pair := movedBy(t, positionOf("text", 5000), "52.520008, 13.404954")
	if want := numeric + ", " + movedBy(t, positionOf("numeric(9,6)", 5000), "13.404954"); pair != want {
		t.Errorf("a pair becomes %s, and alone they become %s", pair, want)
	}
	if other := movedBy(t, positionOf("numeric(9,6)", 5000), "40.000000"); degree(t, other)-40 == degree(t, numeric)-52.520008 {
		t.Error("all places move alike")
	}
}

// How pairs are written stays; what is no position is no reason to let it pass.
func TestPositionForms(t *testing.T) {
	t.Parallel()
	form := strings.NewReplacer("0", "9", "1", "9", "2", "9", "3", "9", "4", "9", "5", "9", "6", "9", "7", "9", "8", "9")
	for sql, values := range map[string][]string{
		"text": {"51.477928,-0.101545", "(51.477928, 10.101545)", "POINT(13.404954 52.520008)", "SRID=4326;POINT(13.404954 52.520008)",
			"[52.520008;13.404954]"},
		"point": {"(51.477928,10.101545)"},
	} {
		for _, v := range values {
			out := movedBy(t, positionOf(sql, 5000), v)
			if form.Replace(out) != form.Replace(v) && sql == "text" || out == v || strings.Contains(v, "SRID") && !strings.HasPrefix(out, "SRID=4326;") {
				t.Errorf("%s: %s became %s", sql, v, out)
			}
		}
	}
	for _, odd := range []string{"51°28'40\"N", "somewhere", "1.5 2.5 3.5", "512.5,1000.25", "10.5E 52.5N", ""} {
		if out := movedBy(t, positionOf("text", 5000), odd+"x"); out == odd+"x" {
			t.Errorf("%s stays", odd)
		}
	}
	if out, err := NewMasker(testKey).Append(nil, positionOf("float8", 5000), []byte("x"), []byte("x")); err == nil {
		t.Errorf("x became %s", out)
	}
	for sql, beyond := range map[string]string{"float8": "181.5", "numeric": "-4000000", "float4": "1e+10", "point": "(512.5,1000.25)"} {
		if out := movedBy(t, positionOf(sql, 5000), beyond); out == beyond || len(out) > len(beyond) {
			t.Errorf("%s became %s", beyond, out)
		}
	}
	for _, tt := range []struct{ sql, value string }{{"float8", "9e-06"}, {"float8", "9"}, {"float4", "13.404954"}, {"numeric", "0"}} {
		if out := movedBy(t, positionOf(tt.sql, 5000), tt.value); math.Abs(degree(t, out)-degree(t, tt.value)) < 0.04 {
			t.Errorf("%s: %s became %s", tt.sql, tt.value, out)
		}
	}
	if out := movedBy(t, positionOf("float8", 5000), "NaN"); out != "NaN" {
		t.Errorf("NaN became %s", out)
	}
}

// The same number under one link gets the same noise, whatever its column's scale.
func TestLinkedNumbers(t *testing.T) {
	t.Parallel()
	noisy := func(sql, value string) float64 {
		r := New(columnOf(sql), &spec.Rule{Transform: Number, Link: "pay"}, domain("link pay"), Env{})
		return degree(t, movedBy(t, r, value))
	}
	a, b := noisy("float8", "51.477928"), noisy("numeric(12,8)", "51.47792800")
	if math.Abs(a-b) > 0.00001 {
		t.Errorf("one number becomes %v and %v", a, b)
	}
}
