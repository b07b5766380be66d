package sdk

import "time"

// Archive is what is kept of an environment that ended or failed.
type Archive struct {
	EnvironmentID string        `json:"environment_id" doc:"Id of the environment, and of its archive" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project       string        `json:"project" doc:"Project of the environment" example:"default"`
	Environment   string        `json:"environment" doc:"Name of the environment" example:"pr-42"`
	Target        string        `json:"target" doc:"Place that ran it" example:"local"`
	Owner         string        `json:"owner" doc:"Who asked for it" example:"ada@example.com"`
	State         string        `json:"state" enum:"terminated,failed" doc:"Whether the environment is gone, or failed and still there" example:"terminated"`
	Reason        string        `json:"reason" doc:"Why" example:"LeaseExpired"`
	Revision      int           `json:"revision" doc:"Its last revision" example:"3"`
	Receipt       *Receipt      `json:"receipt,omitempty" doc:"Of the removal. Told when one archive is read"`
	Files         []ArchiveFile `json:"files" nullable:"false" doc:"What is kept. Told when one archive is read"`
	CreatedAt     time.Time     `json:"created_at" doc:"When the environment was asked for"`
	ArchivedAt    time.Time     `json:"archived_at" doc:"When the archive was made"`
	LogsUntil     time.Time     `json:"logs_until,omitzero" doc:"Until when its logs are kept; absent when they are gone"`
	PurgeAt       time.Time     `json:"purge_at" doc:"Until when all of it is kept"`
	UndoUntil     time.Time     `json:"undo_until,omitzero" doc:"Until when the removal can be undone; absent when it cannot be"`
	RestoredAs    string        `json:"restored_as,omitempty" doc:"Id of the environment that an undo made of it" example:"env_06d5xw7k3c8qf2v9m4n1r0t6yb"`
}

// ArchiveFile is one file of an archive.
type ArchiveFile struct {
	Name string `json:"name" doc:"Names the file in its archive" example:"logs/backend-1/app.log"`
	Size int64  `json:"size" doc:"Bytes" example:"20480"`
}

// ArchiveList is a run of archives.
type ArchiveList struct {
	Items      []Archive `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string    `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// ArchiveFilter says which archives to list. The zero value asks for the newest.
type ArchiveFilter struct {
	Project     string
	Environment string // exact name
	State       string // terminated or failed; empty for both
	Before      string // environment id: only those behind it
	Limit       int    // 0 means the server's default
}

// UndoRequest says how to make an environment of an archive. The zero value makes it as it was.
type UndoRequest struct {
	Name     string `json:"name,omitempty" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Name of the new environment; absent means the one that it had" example:"pr-42"`
	Target   string `json:"target,omitempty" doc:"Place that runs it; absent means the one that ran it" example:"local"`
	TTLHours *int   `json:"ttl_hours,omitempty" minimum:"1" maximum:"168" doc:"Length of its lease in hours. Absent asks for what the blueprint says, else 24" example:"24"`
}
