package draft

// The transforms that a draft proposes by what values look like.
const (
	text       = "text"
	noise      = "number"
	uuid4      = "uuid"
	webAddress = "url"
	ipAddress  = "ip"
	macAddress = "mac"
	password   = "password"
	setNull    = "set_null"
)
