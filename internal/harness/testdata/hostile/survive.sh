cd /; setsid sh -c 'exec >/dev/null 2>&1 </dev/null; perl -e "open F,\">/tmp/survivor-MARK.pid\"; print F \$\$; close F; sleep 90" & ' & 
