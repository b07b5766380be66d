{{- define "shared" -}}from umbrella{{- end -}}
