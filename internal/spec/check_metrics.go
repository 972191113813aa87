package spec

import (
	"net/url"
	"path/filepath"
	"slices"
)

// metrics is where a drill's numbers go.
func (c checker) metrics(raw *rawMetrics) Metrics {
	if raw == nil {
		return Metrics{}
	}
	if raw.Textfile.Value == "" && raw.PushgatewayEnv.Value == "" {
		c.refuse(raw.at, "name the folder under textfile, or a variable under pushgateway_env",
			"metrics names nowhere that they go")
	}
	m := Metrics{Textfile: raw.Textfile.Value, PushgatewayEnv: raw.PushgatewayEnv.Value,
		Pushgateway: c.pushgateway(raw.PushgatewayEnv)}
	if m.Textfile != "" && !filepath.IsAbs(m.Textfile) {
		c.refuse(raw.Textfile.at, "write the folder from / on, as the node exporter is told it",
			"metrics.textfile: %s is no absolute path", shown(m.Textfile))
	}
	return m
}

// pushgateway reads the URL that a variable holds, which may have a password in
// it and is never repeated.
func (c checker) pushgateway(name text) Key {
	const key = "metrics.pushgateway_env"
	const hint = "set it to the Pushgateway's URL, such as http://127.0.0.1:9091"
	value := c.secret(name, key, "DRILL_PUSHGATEWAY_URL", hint)
	if value == "" || c.loader.WithoutSecrets {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "" ||
		u.RawQuery != "" || u.Fragment != "" {
		c.refuse(name.at, hint, "%s: the environment variable %s does not hold the URL of a server", key, name.Value)
	}
	return Key(value)
}
