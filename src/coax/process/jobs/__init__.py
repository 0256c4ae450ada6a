"""Jobs over the domains: order with a credit check, quote, complete.

In: what is ordered and done. Out: jobs, and on completion what they were for: a subscription, an action, items where
they belong, and charges that the next run or Bill Job bills. All of a completion is stored, or nothing.
"""
