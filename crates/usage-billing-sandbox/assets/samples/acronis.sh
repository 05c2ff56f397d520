S=http://127.0.0.1:8080
T=$(curl -s -u 6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264:demo-acronis-secret \
  -d grant_type=client_credentials $S/api/2/idp/token | jq -r .access_token)
curl -s -H "Authorization: Bearer $T" $S/api/2/tenants/2f4c1b7e-0a55-4d1e-9b1f-6a1d3c8e7f10 | jq
