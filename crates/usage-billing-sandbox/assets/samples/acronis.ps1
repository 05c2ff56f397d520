$S = 'http://127.0.0.1:8080'
$client = [Convert]::ToBase64String([Text.Encoding]::ASCII.GetBytes('6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264:demo-acronis-secret'))
$token = (Invoke-RestMethod "$S/api/2/idp/token" -Method Post -Headers @{ Authorization = "Basic $client" } `
  -Body @{ grant_type = 'client_credentials' }).access_token
Invoke-RestMethod "$S/api/2/tenants/2f4c1b7e-0a55-4d1e-9b1f-6a1d3c8e7f10" -Headers @{ Authorization = "Bearer $token" }
