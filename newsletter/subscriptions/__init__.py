"""What is done to one person: one function for each thing that is asked, committed before it returns."""

from newsletter.subscriptions.confirm import (
    Consent as Consent,
)
from newsletter.subscriptions.confirm import (
    OpenRequest as OpenRequest,
)
from newsletter.subscriptions.confirm import (
    confirm as confirm,
)
from newsletter.subscriptions.confirm import (
    open_request as open_request,
)
from newsletter.subscriptions.corrections import (
    family_of as family_of,
)
from newsletter.subscriptions.corrections import (
    lock_family as lock_family,
)
from newsletter.subscriptions.corrections import (
    meet_both as meet_both,
)
from newsletter.subscriptions.corrections import (
    note_rectified as note_rectified,
)
from newsletter.subscriptions.corrections import (
    rectify as rectify,
)
from newsletter.subscriptions.corrections import (
    succeed as succeed,
)
from newsletter.subscriptions.ending import expire as expire
from newsletter.subscriptions.ending import retire as retire
from newsletter.subscriptions.erase import begin_erasure as begin_erasure
from newsletter.subscriptions.erase import erase as erase
from newsletter.subscriptions.leave import (
    Departure as Departure,
)
from newsletter.subscriptions.leave import (
    disown as disown,
)
from newsletter.subscriptions.leave import (
    language_of as language_of,
)
from newsletter.subscriptions.leave import (
    receipt_url as receipt_url,
)
from newsletter.subscriptions.leave import (
    stands_confirmed as stands_confirmed,
)
from newsletter.subscriptions.leave import (
    unsubscribe as unsubscribe,
)
from newsletter.subscriptions.leave import (
    unsubscribe_url as unsubscribe_url,
)
from newsletter.subscriptions.sign_up import sign_up as sign_up
from newsletter.subscriptions.staff import block as block
from newsletter.subscriptions.staff import hold as hold
from newsletter.subscriptions.staff import lift as lift
