package copytext

// Header is what a COPY statement says about the rows after it.
type Header struct {
	Schema  string // empty where the statement names none
	Table   string
	Columns []string // in the order of the fields; nil where the table has none
}
