$S = 'http://127.0.0.1:8080'
Invoke-RestMethod "$S/org/sgr-demo1/usageRecordGroup?status=INVALID" -Headers @{ Authorization = 'Key demo-suger-key' }
