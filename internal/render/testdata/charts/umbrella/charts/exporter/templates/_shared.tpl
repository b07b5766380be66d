{{- define "shared" -}}from exporter{{- end -}}
