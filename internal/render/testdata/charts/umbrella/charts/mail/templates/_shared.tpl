{{- define "shared" -}}from mail{{- end -}}
