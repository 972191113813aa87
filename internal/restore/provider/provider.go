// Package provider knows what servers that others run add to a database, and so
// to its dumps: roles, event triggers, schemas and extensions which exist nowhere
// else. It must never tell a provider by names that people choose themselves.
package provider

import (
	"slices"
	"strings"
)

// A Provider is somebody who runs servers, and what theirs add. A name that ends
// with * stands for all that begin so.
type Provider struct {
	ID   string // in ids of checks
	Name string
	// Marks are roles and schemas by which its dumps are told: nobody else calls
	// theirs so. They need not be named again.
	Marks []string
	Roles []string // more roles, which may be somebody's own where no mark is
	// Left out of a restore: the event triggers, which keep others from doing what
	// the provider does; schemas that are the provider's alone; and extensions that
	// no other server can have.
	Triggers   []string
	Schemas    []string
	Extensions []string
}

// Providers are all that are known.
var Providers = []Provider{
	{
		// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
		// https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-extensions.html
		// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraPostgreSQLReleaseNotes/AuroraPostgreSQL.Extensions.html
		ID: "rds", Name: "Amazon RDS or Aurora",
		Marks: []string{"rdsadmin", "rds_superuser", "rds_replication", "rds_password", "rds_iam", "rds_ad",
			"rdsrepladmin", "rdsproxyadmin", "rds_reserved", "rds_extension", "rdstopmgr", "rdswriteforwarduser"},
		Extensions: []string{"aws_commons", "aws_lambda", "aws_ml", "aws_s3", "rds_tools", "apg_plan_mgmt", "log_fdw"},
	},
	{
		// https://cloud.google.com/sql/docs/postgres/users
		// https://cloud.google.com/sql/docs/postgres/extensions
		ID: "cloudsql", Name: "Google Cloud SQL",
		Marks: []string{"cloudsqladmin", "cloudsqlsuperuser", "cloudsqlagent", "cloudsqlimportexport", "cloudsqlreplica",
			"cloudsqliam*", "cloudsqllogical", "cloudsqlconnpooladmin", "cloudsqlobservability", "cloudsqlinactiveuser"},
		Extensions: []string{"google_columnar_engine", "google_db_advisor", "google_ml_integration"},
	},
	{
		// https://learn.microsoft.com/en-us/azure/postgresql/security/security-access-control
		// https://learn.microsoft.com/en-us/azure/postgresql/extensions/concepts-extensions-versions
		ID: "azure", Name: "Azure Database for PostgreSQL",
		Marks:      []string{"azure_pg_admin", "azuresu", "azure_superuser"},
		Extensions: []string{"azure", "azure_ai", "azure_local_ai", "azure_storage", "pgaadauth"},
	},
	{
		// https://github.com/heroku/cli/pull/1648
		// https://devcenter.heroku.com/changelog-items/2446
		ID: "heroku", Name: "Heroku",
		Marks: []string{"_heroku", "heroku_admin"},
		// its functions are in _heroku, whatever the triggers are called
		Schemas: []string{"_heroku"},
		Roles:   []string{"rdsadmin", "rds_superuser"}, // its servers are Amazon's
	},
	{
		// https://supabase.com/docs/guides/database/postgres/roles
		// https://github.com/supabase/postgres/tree/develop/migrations/db
		ID: "supabase", Name: "Supabase",
		Marks: []string{"supabase_*"},
		Roles: []string{"anon", "authenticated", "service_role", "authenticator", "dashboard_user", "pgbouncer",
			"pgsodium_keyiduser", "pgsodium_keyholder", "pgsodium_keymaker"},
		Triggers: []string{"issue_graphql_placeholder", "issue_pg_cron_access", "issue_pg_graphql_access",
			"issue_pg_net_access", "pgrst_ddl_watch", "pgrst_drop_watch"},
	},
	{
		// https://neon.com/docs/manage/roles#the-neon_superuser-role
		// https://neon.com/docs/extensions/pg-extensions
		ID: "neon", Name: "Neon",
		Marks:      []string{"neon_superuser", "neon_service"},
		Roles:      []string{"cloud_admin", "authenticator", "anonymous", "authenticated"},
		Extensions: []string{"neon", "neon_utils"},
	},
	{
		// https://docs.digitalocean.com/products/databases/postgresql/how-to/manage-users-and-databases/
		ID: "digitalocean", Name: "DigitalOcean",
		Marks: []string{"doadmin"},
		Roles: []string{"_dodb"},
	},
}

// Of returns the providers whose marks are among the names of roles and schemas.
func Of(names []string) (found []Provider) {
	for _, p := range Providers {
		if slices.ContainsFunc(names, func(n string) bool { return in(p.Marks, n) }) {
			found = append(found, p)
		}
	}
	return found
}

// Role reports whether a role is the provider's.
func (p Provider) Role(name string) bool { return in(p.Marks, name) || in(p.Roles, name) }

// Extension reports whether an extension is on the provider's servers alone.
func (p Provider) Extension(name string) bool { return in(p.Extensions, name) }

// Schema reports whether a schema is the provider's alone.
func (p Provider) Schema(name string) bool { return in(p.Schemas, name) }

// Trigger reports whether an event trigger is the provider's, by its name or by
// whose function its definition calls.
func (p Provider) Trigger(name, definition string) bool {
	return in(p.Triggers, name) || slices.ContainsFunc(p.Schemas, func(schema string) bool {
		return strings.Contains(definition, " FUNCTION "+schema+".") ||
			strings.Contains(definition, " PROCEDURE "+schema+".")
	})
}

func in(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		prefix, open := strings.CutSuffix(n, "*")
		return n == name || open && strings.HasPrefix(name, prefix)
	})
}
