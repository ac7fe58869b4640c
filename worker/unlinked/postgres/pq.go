// Package pq is empty: SOPS imports it for its effect on database/sql.
package pq
