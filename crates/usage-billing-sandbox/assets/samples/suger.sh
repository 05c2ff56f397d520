S=http://127.0.0.1:8080
curl -s -H "Authorization: Key demo-suger-key" "$S/org/sgr-demo1/usageRecordGroup?status=INVALID" | jq
