package spec

// rawExec is a place that a program reaches.
type rawExec struct {
	mapping
	Preset     text   `json:"preset,omitempty" jsonschema:"enum=restic,enum=borg,enum=rclone"`
	Repository text   `json:"repository,omitempty"`
	File       text   `json:"file,omitempty"`
	Args       []text `json:"args,omitempty"`
	List       []text `json:"list,omitempty"`
	Fetch      []text `json:"fetch,omitempty"`
	Env        []text `json:"env,omitempty"`
}
