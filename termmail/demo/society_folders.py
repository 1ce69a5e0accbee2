"""Messages in the folders of the secretary, for the IMAP account of the demo."""

from __future__ import annotations

from termmail.demo.message_builder import File
from termmail.demo.pictures import pdf
from termmail.demo.society_letters import MARIA, received

TRAVEL = (
    received(
        16,
        "Continental Railways <tickets@railways.example.net>",
        "Your ticket to Turin",
        """
        Booking QX7TU2

          Mon  08:05  London    14:20  Paris
          Mon  20:55  Paris     09:40  Turin     sleeper, berth 14

        Show the attached page to the guard. Trunks travel separately.
        """,
        "society-ticket",
        files=(File("ticket.pdf", "application/pdf", pdf("Ticket QX7TU2", ["London to Turin", "Berth 14"])),),
    ),
    received(
        15.2,
        "Albergo della Colonna <reception@colonna.example.org>",
        "La Sua prenotazione",
        """
        Gentile signora King,

        confermiamo una camera con scrivania e vista sul Po, tre notti.
        La colazione è servita dalle sette; il caffè, sempre.

        Cordiali saluti
        """,
        "society-hotel",
    ),
    received(
        13.7,
        "Luigi Menabrea <luigi@example.net>",
        "From the station",
        """
        I shall be at the platform with a sign that says "Lovelace" on one
        side and "King" on the other. Turn it as you need.

        Luigi
        """,
        "society-station",
    ),
    received(
        5.5,
        "Continental Railways <tickets@railways.example.net>",
        "Change to your journey QX7TU2",
        """
        The sleeper leaves Paris at 21:10 instead of 20:55, because of the
        clocks. Your berth stays the same.
        """,
        "society-change",
    ),
)

TRANSLATIONS = (
    received(
        29,
        MARIA,
        "Kurve oder Hexe?",
        """
        Liebe Ada,

        im Italienischen stand „versiera“, und jemand las „avversiera“.
        Seitdem fliegt meine Kurve auf einem Besen durch die Bücher. Für
        die deutsche Ausgabe würde ich sie gern wieder landen lassen.

        Herzliche Grüße
        Maria
        """,
        "society-witch",
    ),
    received(
        21,
        "Émilie du Châtelet <emilie@example.org>",
        "Les Principes, chapitre quatre",
        """
        Chère Ada,

        voici le chapitre quatre. Newton y tombe deux fois, la pomme une
        seule. J'ai corrigé le carré de la vitesse ; il y tenait peu, les
        boulets de plomb beaucoup.

        Bien à vous
        Émilie
        """,
        "society-principles",
    ),
)
