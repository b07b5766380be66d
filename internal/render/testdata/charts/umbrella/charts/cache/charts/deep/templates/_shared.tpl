{{- define "shared" -}}from deep{{- end -}}
