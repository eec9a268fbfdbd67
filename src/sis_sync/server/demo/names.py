"""First and last names as real districts have them; who bears both is made up."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words("""
    Aaliyah Aarav Abigail Aiden Aisha Alejandra Amara Amélie Ana Anaïs Andrés Anh Aoife Arjun Asha Astrid Ava
    Ayaan Beatriz Ben Björn Brianna Camila Carlos Chloé Chinedu Claire Connor Daniela David DeShawn Diego Dmitri
    Eduardo Elena Elif Elijah Emeka Emily Émile Ethan Fatima Felix Fernanda Finn François Gabriela Giulia Grace
    Hana Hannah Harper Hassan Hiroshi Hugo Ibrahim Imani Inés Isabella Ivan Jada Jamal Jasmine Javier Jin Joaquín
    John Jonas José Juan-Carlos Kai Karim Kateryna Keiko Kenji Khadija Kiara Kwame Laila Lars Layla Leilani
    Leticia Liam Lucía Łukasz Mae Malik Marco María Mary-Jane Mateo Maya Mei Mohammed Nadia Naomi Natalia Nguyệt
    Niamh Noah Núria Olivia Omar Oscar Pablo Paige Patrick Priya Quinn Rachel Ravi Rosa Ryan Saanvi Samuel
    Santiago Sarah Seán Sebastián Sienna Siobhán Sofía Søren Stella Tariq Taylor Thảo Tiana Tomás Valentina Victor
    Wei William Ximena Yara Yusuf Zoë
""")
LAST_NAMES = _words("""
    Abdi Adebayo Aguilar Ahmed Ali Álvarez Andersen Anderson Baker Begum Bennett Brown Bui Campbell Castillo Chen
    Cohen Cole Contreras Cruz D'Angelo Davis Delgado Diaz Dubois Edwards Evans Fernández Fischer Flores Foster
    Frost García García-López Gómez González Gray Green Gupta Gutiérrez Hall Hansen Hassan Hernández Hill Hoang
    Hughes Ibrahim Iqbal Jackson Jensen Jiménez Johnson Jones Kaya Kelly Khan Kim Kowalski Kozłowski Kumar Larsson
    Lee Levy Lewis Li Lindqvist López Martin Martínez McDonald Mehta Mendoza Mitchell Mohamed Moore Moreau Morgan
    Morris Müller Murphy Nakamura Nelson Nguyen Novák Núñez Nwosu O'Brien O'Connor O'Neil Okafor Olsen Ortiz
    Østergård Owens Park Patel Pérez Phạm Phillips Popescu Price Quiñones Ramírez Reyes Rivera Roberts Robinson
    Rodríguez Rojas Ross Ruiz Sánchez Santos Schmidt Schneider Shah Silva Singh Smith Sørensen Sullivan Suzuki
    Tanaka Taylor Thomas Torres Tran Turner Vargas Vasquez Walker Wang White Williams Wilson Wright Yamamoto
    Yildirim Young Zhang Zimmermann
""")
POSITIONS = (
    "Art",
    "Band, Choir",
    "Biology",
    "Counselor",
    "English",
    "ESL",
    "History",
    "Kindergarten",
    "Librarian",
    "Mathematics",
    "Music",
    "Physical Education",
    "Principal, Upper School",
    "Science",
    "School Nurse",
    "Spanish",
    "Special Education",
)
