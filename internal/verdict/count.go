package verdict

import "fmt"

// Count writes a number of things, whose plural ends in s: 1 row, 2 rows.
func Count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Few are the first of some texts, and behind them how many more there are.
func Few(all []string, most int) []string {
	more := len(all) - most
	if more <= 0 {
		return all
	}
	return append(all[:most:most], fmt.Sprintf("and %d more", more))
}
