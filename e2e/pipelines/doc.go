// Package pipelines tests what examples/pipelines offers to copy: that report.sh signs and tells, in several shells and whatever files are called; that the
// pipelines keep secrets away from forks and give no more rights than needed; and, with stand-ins of the programs that need a network, what they do.
//
// It owns no code of the product. That the workflows are well formed is seen to by actionlint in `make lint`, the pipeline of GitLab by its schema, here.
package pipelines
