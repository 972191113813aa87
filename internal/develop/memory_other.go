//go:build !linux

package develop

// tempInMemory is empty: no folder in memory is known here.
func tempInMemory() string { return "" }
