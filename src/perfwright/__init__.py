"""perfwright makes compiled programs faster and proves it.

Agents propose; the compiler and the machine decide.  Start reading at
`perfwright.core.campaign`, the loop that everything else serves.
"""

__version__ = "0.1.0"
