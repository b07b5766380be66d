{{- define "shared" -}}from queue{{- end -}}
