set -a; . ./.env; set +a
curl -u "$CLIENT_ID:$CLIENT_SECRET" "$IDP_ISSUER/token" \
  -d grant_type=client_credentials --data-urlencode "resource=$RESOURCE"
