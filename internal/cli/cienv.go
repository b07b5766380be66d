package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// fromCI fills what was not named with what the CI around us tells of its run.
func fromCI(getenv func(string) string, readFile func(string) ([]byte, error), r *sdk.ReportCIRequest) error {
	var told sdk.ReportCIRequest
	var err error
	switch {
	case getenv("GITHUB_ACTIONS") == "true" || getenv("GITEA_ACTIONS") == "true" || getenv("FORGEJO_ACTIONS") == "true":
		told, err = fromActions(getenv, readFile, r.Commit != "")
	case getenv("GITLAB_CI") == "true":
		told = fromGitLab(getenv)
	case getenv("BITBUCKET_BUILD_NUMBER") != "":
		told = fromBitbucket(getenv)
	case getenv("JENKINS_URL") != "":
		told = fromJenkins(getenv)
	}
	if err != nil {
		return err
	}
	r.Commit, r.Branch = first(r.Commit, told.Commit), first(r.Branch, told.Branch)
	if r.Run.ID == "" && r.Run.Number == 0 { // a run is named as a whole: that of another pipeline has other numbers
		r.Run.ID, r.Run.Number, r.Run.URL, r.Run.StartedAt = told.Run.ID, told.Run.Number, first(r.Run.URL, told.Run.URL), first(r.Run.StartedAt, told.Run.StartedAt)
	}
	r.Run.Job, r.Run.Provider = first(r.Run.Job, told.Run.Job), first(r.Run.Provider, told.Run.Provider)
	if r.Run.Attempt == 0 {
		r.Run.Attempt = told.Run.Attempt
	}
	return nil
}

func whole(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// fromActions reads what GitHub, Gitea and Forgejo tell. Of a pull request GITHUB_SHA is a merge commit that nobody has pushed: its head stands in the event.
func fromActions(getenv func(string) string, readFile func(string) ([]byte, error), named bool) (sdk.ReportCIRequest, error) {
	provider := "github"
	if getenv("GITEA_ACTIONS") == "true" || getenv("FORGEJO_ACTIONS") == "true" {
		provider = "gitea"
	}
	r := sdk.ReportCIRequest{
		Commit: getenv("GITHUB_SHA"), Branch: first(getenv("GITHUB_HEAD_REF"), getenv("GITHUB_REF_NAME")),
		Run: sdk.CIRunRequest{
			ID: getenv("GITHUB_RUN_ID"), Number: whole(getenv("GITHUB_RUN_NUMBER")), Attempt: whole(getenv("GITHUB_RUN_ATTEMPT")), Job: getenv("GITHUB_JOB"), Provider: provider,
		},
	}
	if server, repository := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"); server != "" && repository != "" && r.Run.ID != "" {
		run := r.Run.ID
		if provider == "gitea" { // its pages are named by the number
			run = first(getenv("GITHUB_RUN_NUMBER"), run)
		}
		r.Run.URL = strings.TrimRight(server, "/") + "/" + repository + "/actions/runs/" + run
	}
	if !strings.HasPrefix(getenv("GITHUB_EVENT_NAME"), "pull_request") || named {
		return r, nil
	}
	var event struct {
		PullRequest struct {
			Head struct {
				SHA string `json:"sha"`
			} `json:"head"`
		} `json:"pull_request"`
	}
	data, err := readFile(getenv("GITHUB_EVENT_PATH"))
	if err == nil {
		err = json.Unmarshal(data, &event)
	}
	if r.Commit = event.PullRequest.Head.SHA; err != nil || r.Commit == "" {
		return r, fmt.Errorf("the commit of the pull request is not told in $GITHUB_EVENT_PATH: name it with --commit, as ${{ github.event.pull_request.head.sha }}")
	}
	return r, nil
}

// fromGitLab takes the id of a job for its attempt: one that is tried again has a higher one.
func fromGitLab(getenv func(string) string) sdk.ReportCIRequest {
	return sdk.ReportCIRequest{
		Commit: first(getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"), getenv("CI_COMMIT_SHA")),
		Branch: first(getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"), getenv("CI_COMMIT_REF_NAME")),
		Run: sdk.CIRunRequest{
			ID: getenv("CI_PIPELINE_ID"), Number: whole(getenv("CI_PIPELINE_IID")), URL: getenv("CI_PIPELINE_URL"), StartedAt: getenv("CI_PIPELINE_CREATED_AT"),
			Job: getenv("CI_JOB_NAME"), Attempt: whole(getenv("CI_JOB_ID")), Provider: "gitlab",
		},
	}
}

func fromBitbucket(getenv func(string) string) sdk.ReportCIRequest {
	number := getenv("BITBUCKET_BUILD_NUMBER")
	r := sdk.ReportCIRequest{
		Commit: getenv("BITBUCKET_COMMIT"), Branch: getenv("BITBUCKET_BRANCH"),
		Run: sdk.CIRunRequest{
			ID: first(getenv("BITBUCKET_PIPELINE_UUID"), number), Number: whole(number), Job: getenv("BITBUCKET_STEP_UUID"), Attempt: whole(getenv("BITBUCKET_STEP_RUN_NUMBER")),
			Provider: "bitbucket",
		},
	}
	if origin := getenv("BITBUCKET_GIT_HTTP_ORIGIN"); origin != "" {
		r.Run.URL = strings.Replace(origin, "http://", "https://", 1) + "/pipelines/results/" + number
	}
	return r
}

func fromJenkins(getenv func(string) string) sdk.ReportCIRequest {
	return sdk.ReportCIRequest{
		Commit: getenv("GIT_COMMIT"), Branch: first(getenv("CHANGE_BRANCH"), getenv("BRANCH_NAME"), strings.TrimPrefix(getenv("GIT_BRANCH"), "origin/")),
		Run: sdk.CIRunRequest{
			ID: first(getenv("BUILD_TAG"), getenv("BUILD_NUMBER")), Number: whole(getenv("BUILD_NUMBER")), URL: getenv("BUILD_URL"), Job: getenv("STAGE_NAME"), Provider: "jenkins",
		},
	}
}
