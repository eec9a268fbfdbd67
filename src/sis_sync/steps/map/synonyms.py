"""Names that student information systems use for our fields, best first, in the languages of their makers.

Sources: the data dictionaries and sample files of PowerSchool, Infinite Campus, Skyward, Aeries, Google's bulk file and
Ed-Fi, and the words of school administration in other languages. Names that only one system uses are in its preset.
Case, accents, blanks and signs do not count. The person of the row may be named before or after a name ("Student
First Name", "Prénom élève"): `suggest/header_words.py` knows those words.
"""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "first_name": (
        *("First", "FN", "Fname", "Given Name", "Given Names", "Given", "Forename", "Forenames", "Name First"),
        *("Christian Name", "First Names", "First Given Name", "Vorname", "Vornamen", "Erster Vorname"),
        *("Prénom", "Prénoms", "Premier Prénom", "Prénom 1", "Voornaam", "Voornamen", "Nombre", "Nombres", "Nome"),
        *("Primer Nombre", "Primeiro Nome", "Nome Próprio", "Nome di battesimo", "Imię", "Pierwsze Imię", "Imiona"),
        *("Jméno", "Křestní jméno", "Meno", "Förnamn", "Fornavn", "Etunimi", "Etunimet", "Utónév", "Keresztnév"),
        *("Ime", "Eesnimi", "Vardas", "Vārds", "Prenume"),
    ),
    "middle_name": (
        *("Middle", "MN", "Mname", "Middle Names", "Middle Initial", "MI", "Second Name", "Name Middle"),
        *("Additional Name", "Additional Names", "Other Names", "Middle Name(s)", "Second Given Name"),
        *("Deuxième Prénom", "Prénom 2", "Zweiter Vorname", "Weitere Vornamen", "Segundo Nombre", "Secondo Nome"),
        *("Nome do Meio", "Drugie Imię", "Druhé jméno", "Mellannamn", "Mellomnavn", "Mellemnavn", "Toinen nimi"),
    ),
    "last_name": (
        *("Last", "LN", "Lname", "Surname", "Family Name", "Last Surname", "Name Last", "Last Names"),
        *("Nachname", "Familienname", "Zuname", "Nom de famille", "Nom de naissance", "Achternaam", "Geslachtsnaam"),
        *("Apellidos", "Apellido", "Primer Apellido", "Apellido 1", "Apellido Paterno", "Cognome", "Sobrenome"),
        *("Apelido", "Apelidos", "Último Nome", "Nazwisko", "Příjmení", "Priezvisko", "Efternamn", "Etternavn"),
        *("Efternavn", "Sukunimi", "Vezetéknév", "Családnév", "Prezime", "Priimek", "Perekonnanimi", "Pavardė"),
        *("Uzvārds", "Nume de familie"),
    ),
    "email": (
        *("School Email", "School Email Address", "School Mail", "Schl Email", "Sch Email", "District Email"),
        *("Work Email", "Work Email Address", "Office Email", "Org Email", "Google Email", "Dienstliche E-Mail"),
        *(
            "Dienst-E-Mail",
            "Dienstmail",
            "Schulische E-Mail",
            "E-Mail Schule",
            "Mail académique",
            "E-mail szkolny",
            "E-mail scolastica",
        ),
        *("Email", "E-mail", "Mail", "Email Address", "E-mail Address", "Mail Address", "Email Addr", "Primary Email"),
        *("Schl Email Addr", "Sch Email Addr", "SEM", "EM", "User Principal Name", "UPN", "Electronic Mail Address"),
        *("E-Mail-Adresse", "Mailadresse", "Adresse e-mail", "Adresse mail", "Adresse électronique", "Courriel"),
        *("Mél", "Correo", "Correo electrónico", "Dirección de correo", "Posta elettronica", "Indirizzo e-mail"),
        *("E-mailadres", "Mailadres", "Correio eletrónico", "Endereço de e-mail", "Adres e-mail", "Adres mailowy"),
        *("E-mailová adresa", "E-post", "E-postadress", "E-postadresse", "Sähköposti", "Sähköpostiosoite"),
    ),
    "custom_id": (
        *("Student Number", "Student ID", "Student No", "Student #", "Pupil ID", "Pupil Number", "Learner ID"),
        *("Local ID", "Local Student ID", "SIS ID", "SIS Number", "SIS User ID", "Perm ID", "Permanent ID"),
        *("Admission Number", "Admission No", "Admissions Number", "Adno", "Adm No", "Enrolment Number"),
        *("Employee ID", "Employee Number", "Employee No", "Employee Code", "Staff ID", "Staff Number", "Staff Code"),
        *("Local Staff ID", "Teacher ID", "Teacher Number", "Person ID", "Person Number", "Payroll Number"),
        *("Payroll No", "Personnel Number", "MIS ID", "Other ID", "Lasid", "Registration Number"),
        *("User ID", "External ID", "Unique ID", "Student Unique ID", "Staff Unique ID", "Import ID", "Source ID"),
        *(
            "External Key",
            "Extern Key",
            "Sync Key",
            "Host ID",
            "Fremdschlüssel",
            "Legajo",
            "Stamboeknummer",
            "Numer legitymacji",
            "Numer w księdze uczniów",
            "Nr w księdze uczniów",
            "Nr legitymacji",
            "Registro do aluno",
            "Num. Elève Etab",
        ),
        *("Personalnummer", "Personal-Nr", "Interne ID", "Interne ID-Nummer", "Externe ID", "Schild-ID", "ASV-ID"),
        *("Identifiant unique", "Identifiant interne", "Matricule", "Matrícula", "Matricola", "Elenoet", "ID externe"),
        *("Número de expediente", "Nº expediente", "Expediente", "N.º de processo", "Número de processo", "Processo"),
        *(
            "Elevnummer",
            "Leerlingnummer",
            "Stamnummer",
            "Stamnr",
            "Personeelsnummer",
            "Numer ewidencyjny",
            "Evidenční číslo",
            "Osobní číslo",
        ),
        *("Anställningsnummer", "Ansattnummer", "Medarbejdernummer", "Oppilasnumero", "Opiskelijanumero", "Uni-ID"),
    ),
    "school_district_external_id": (
        *("External ID of the School", "Org ID", "Organization ID", "Organisation ID", "School ID", "School Number"),
        *("School No", "School Code", "Sch Number", "Current School Code", "Current School ID", "School Nbr"),
        *("Site ID", "Site Number", "Site Code", "Building ID", "Building Code", "Building Number", "Entity ID"),
        *("Location ID", "Location Code", "Campus ID", "Campus Code", "Home School ID", "Home School Code"),
        *("Org Code", "Org Unit Code", "Department of Education Number", "School DfE Number", "DfE Number", "URN"),
        *("Schulnummer", "Schul-Nr", "Schul-ID", "Schulkennung", "Dienststellenschlüssel", "Dienststellennummer"),
        *("UAI", "RNE", "Code UAI", "Code RNE", "Numéro UAI", "Code établissement", "Código de centro"),
        *("Código centro", "Cód. centro", "Codice meccanografico", "Codice scuola", "Codice istituto", "Brin"),
        *("BRIN-nummer", "Vestigingscode", "Vestigingsnummer", "Código da escola", "Código escola", "RSPO"),
        *(
            "Numer RSPO",
            "IZO",
            "REDIZO",
            "Skolenhetskod",
            "Skolkod",
            "Institutionsnummer",
            "Skolenummer",
            "Institutionsnr",
            "Instellingsnummer",
        ),
        *("Oppilaitosnumero", "Koulukoodi", "Oppilaitoskoodi", "School", "Site", "Building", "Entity", "Campus"),
        *("Location", "Organization", "Organisation", "Home School", "SC", "PSC", "Schule", "Établissement"),
        *("Centro", "Istituto", "Scuola", "Plesso", "Vestiging", "Escola", "Agrupamento", "Szkoła", "Jednostka"),
        *(
            "Škola",
            "Skola",
            "Skolenhet",
            "Skole",
            "Institution",
            "Koulu",
            "Oppilaitos",
            "Stammschule",
            "Dienststelle",
            "District ID",
        ),
    ),
    "user_type": (
        *("Role", "Roles", "User Role", "User Type", "Person Type", "Account Type", "Primary Role", "Member Type"),
        *("Staff Type", "Type", "Rolle", "Benutzertyp", "Personentyp", "Profil", "Type de personne", "Rôle", "Rol"),
        *("Perfil", "Tipo de usuario", "Ruolo", "Profilo", "Tipo utente", "Gebruikerstype", "Tipo de utilizador"),
        *("Rola", "Typ użytkownika", "Typ uživatele", "Roll", "Brugertype", "Brukertype", "Rooli"),
    ),
    "position": (
        *("Title", "Job Title", "Job", "Position Title", "Employee Title", "Role Title", "Post Title", "Post"),
        *("Business Title", "Position Name", "Job Name", "Job Class", "Designation", "Assignment"),
        *("Staff Classification", "TI", "Job Description", "Job Role", "Funktion", "Stelle", "Amtsbezeichnung"),
        *("Dienstbezeichnung", "Tätigkeit", "Fonction", "Poste", "Emploi", "Cargo", "Puesto", "Mansione", "Incarico"),
        *("Qualifica", "Functie", "Função", "Stanowisko", "Pracovní pozice", "Funkce", "Befattning", "Stilling"),
        *("Tehtävä", "Nimike", "Tehtävänimike"),
    ),
    "grade": (
        *("Grade Level", "Grades", "Grade", "Gr", "Grd", "Current Grade", "Grade Code", "Grade ID", "Grade Name"),
        *("Year Level", "Year Group", "Year", "School Year Level", "NC Year", "National Curriculum Year"),
        *("Grade Level Code", "Grade Level Abbreviation", "Grade Abbreviation", "School Year", "Class Level"),
        *("Curriculum Year", "Scholastic Year", "Year Code", "Year Grp", "Jahrgang", "Jahrgangsstufe", "Klassenstufe"),
        *(
            "Stufe",
            "Schulstufe",
            "Niveau",
            "Curso",
            "Nivel",
            "Grado",
            "Anno",
            "Anno di corso",
            "Leerjaar",
            "Jaarlaag",
            "Jaargroep",
        ),
        *("Ano", "Ano de escolaridade", "Série", "Poziom", "Ročník", "Årskurs", "Åk", "Trinn", "Årstrinn"),
        *("Klassetrin", "Vuosiluokka", "Luokka-aste"),
    ),
    "status": (
        *("Account Status", "Enroll Status", "Enrollment Status", "Enrolment Status", "Student Status", "Status"),
        *("Employment Status", "Staff Status", "Worker Status", "Person Status", "Enrolled", "Is Enrolled"),
        *("Is Current", "User Status", "Current", "Active", "Is Active", "Enabled", "Account Enabled", "Active Today"),
        *("End Status", "TG", "Current Status", "On Roll", "Status Code", "Record Status", "Aktiv", "Statut", "Actif"),
        *(
            "Estado",
            "Situación",
            "Activo",
            "Stato",
            "Attivo",
            "Actief",
            "Situação",
            "Situação do aluno",
            "Situação da matrícula",
            "Estado matrícula",
            "Ativo",
        ),
        *("Stan", "Aktywny", "Stav", "Aktivní", "Tila", "Aktiivinen"),
    ),
}

# Also IDs, but they say less: any table has them.
PLAIN_IDS: tuple[str, ...] = (
    *(
        "ID",
        "Identifier",
        "ID Number",
        "Ident",
        "Number",
        "Num",
        "No",
        "Roll Number",
        "Schlüssel",
        "RA",
        "Roll No",
        "#",
        "Cod",
        "Code",
        "Key",
        "Nummer",
        "Nr",
        "Kennung",
    ),
    *("Identifiant", "Identificador", "Identificativo", "Numéro", "Número", "Numero", "Codice", "Código", "Kod"),
    *("Numer", "Číslo", "Kód", "Tunnus", "Numero"),
)
# IDs of a state or a country. The district's own number is better, and some of these are secrets of the person.
OUTSIDE_IDS: tuple[str, ...] = (
    *("State Student Number", "State ID", "Student State ID", "State Student ID", "State Number", "SASID", "SSID"),
    *("Ministry ID", "Unique Pupil Number", "UPN", "ULN", "Unique Learner Number", "USI", "VSN", "NSN", "SRN"),
    *("Integration ID", "INE", "Numéro INE", "NUMEN", "NIA", "NIE", "DNI", "Codice fiscale", "PESEL", "Rodné číslo"),
    *(
        "Personnummer",
        "CPR",
        "CPR-nummer",
        "CPR-nr",
        "BSN",
        "Numéro national",
        "N° national",
        "Fødselsnummer",
        "Henkilötunnus",
        "Oppijanumero",
        "ECK iD",
        *("NIF", "RUT", "CURP", "CPF"),
    ),
)
# A school by its name. Its code is better.
SCHOOL_NAMES: tuple[str, ...] = (
    *("School Name", "Current School Name", "Site Name", "Building Name", "Location Name", "Campus Name", "Org Name"),
    *(
        "Org Unit Path",
        "Organization Name",
        "Organisation Name",
        "Entity Name",
        "Schulname",
        "Name der Schule",
        "Nom établissement",
    ),
    *("Nom de l'établissement", "Nombre del centro", "Nome scuola", "Schoolnaam", "Vestigingsnaam", "Nome da escola"),
    *("Nazwa szkoły", "Název školy", "Skolnamn", "Skolenavn", "Koulun nimi"),
)

# A first name if another column has the last name, else the whole name.
FIRST_OR_FULL: tuple[str, ...] = ("Nombre", "Nombres", "Nome", "Jméno", "Meno", "Ime", "Imię", "Imiona")
# A last name if another column has the first name, else the whole name.
LAST_OR_FULL: tuple[str, ...] = (
    "Long Name",
    "SN",
    "Family",
    "Name",
    "Nom",
    "Naam",
    "Namn",
    "Navn",
    "Nimi",
    "Nume",
    "Név",
)
# A column of this name may hold anything about a place.
VAGUE_SCHOOLS: tuple[str, ...] = (
    "Location",
    "Site",
    "Entity",
    "Campus",
    "Organization",
    "Organisation",
    "District ID",
    "Institution",
)
FULL_NAME: tuple[str, ...] = (
    *("Name", "Full Name", "Display Name", "Sortable Name", "Last First", "Name Last First", "Last First Middle"),
    *("Name Full", "Last Name First Name", "First Last", "First Name Last Name", "Complete Name", "Vollständiger Name"),
    *("Anzeigename", "Name Vorname", "Vorname Name", "Nachname Vorname", "Nom Prénom", "Nom et Prénom", "Nom complet"),
    *("Prénom Nom", "Nombre completo", "Apellidos y nombre", "Apellidos Nombre", "Nombre y apellidos", "Nome completo"),
    *("Cognome e nome", "Cognome Nome", "Nominativo", "Volledige naam", "Nazwisko i imię", "Imię i nazwisko"),
    *("Student", "Pupil", "Learner", "Employee", "Schüler", "Élève", "Alumno", "Alumno/a", "Alunno", "Leerling"),
    *(
        "Aluno",
        "Uczeń",
        "Žák",
        "Elev",
        "Oppilas",
        "Jméno a příjmení",
        "Příjmení a jméno",
        "Fullständigt namn",
        "Fullt navn",
        "Fulde navn",
        "Koko nimi",
    ),
)

LOGIN_NAME: tuple[str, ...] = (
    *("Username", "User Name", "Network ID", "Login", "Login ID", "Login Name", "Account Name", "Account", "SAM"),
    *("SAM Account Name", "User Principal Name", "AD Username", "AD Login", "SIS Username", "Local User"),
    *(
        "Local User Identifier",
        "Identifiant ENT",
        "Benutzername",
        "Anmeldename",
        "Benutzerkennung",
        "Nom d'utilisateur",
        "Compte",
    ),
    *("Usuario", "Nombre de usuario", "Nome utente", "Gebruikersnaam", "Inlognaam", "Nome de utilizador"),
    *("Nazwa użytkownika", "Uživatelské jméno", "Přihlašovací jméno", "Användarnamn", "Brukernavn", "Brugernavn"),
    *("Unilogin", "Uni-login", "Käyttäjätunnus"),
)

# Flags that say the contrary of active.
CONTRARY_FLAGS: tuple[str, ...] = (
    *(
        "Suspended",
        "Disabled",
        "Inactive",
        "Is Inactive",
        "Locked",
        "Blocked",
        "Withdrawn",
        "Left",
        "Leaver",
        "Archived",
    ),
    *("Deleted", "Is Deleted", "Graduated", "Gesperrt", "Ausgetreten", "Abgemeldet", "Sorti", "Baja", "Uitgeschreven"),
)

CLASS_NAMES: tuple[str, ...] = (
    *("Class", "Klasse", "Division", "Classe", "Clase", "Grupo", "Klas", "Turma", "Klasa", "Oddział", "Třída"),
    *("Klass", "Luokka", "Reg", "Reg Group", "Registration Group", "Tutor Group", "Form", "Home Group", "Groupe"),
    *(
        "Homeroom",
        "Home Room",
        "Roll Class",
        "Sezione",
        "Stamklas",
        "Stammklasse",
        "Klassenname",
        "Klasse Name",
        "Stamgroep",
        "Home Form",
        "Hjemmeklasse",
    ),
)

ENTRY_DATES: tuple[str, ...] = (
    *("Entry Date", "Enter Date", "Start Date", "Enrollment Date", "Enrolment Date", "Admission Date", "Date Entered"),
    *("Date of Admission", "Date of Entry", "Entry", "Date Started", "Hire Date", "Start", "Eintritt", "Enroll Date"),
    *("Eintrittsdatum", "Aufnahmedatum", "Zugang am", "Date d'entrée", "Date entrée", "Date début", "Fecha de alta"),
    *("Fecha de matrícula", "Fecha de ingreso", "Data iscrizione", "Data inizio", "Inschrijfdatum", "Startdatum"),
    *("Begindatum", "Datum in dienst", "Data de matrícula", "Data de início", "Data przyjęcia", "Datum nástupu"),
    *("Startdato", "Alkamispäivä"),
)
EXIT_DATES: tuple[str, ...] = (
    *("Exit Date", "Leaving Date", "Leave Date", "End Date", "Withdrawal Date", "Withdraw Date", "Date Left"),
    *(
        "Date of Leaving",
        "Leaver Date",
        "Termination Date",
        "Date Exited",
        "Depart Date",
        "Finish",
        "Austritt",
        "Austrittsdatum",
    ),
    *("Abgang", "Abgangsdatum", "Abgang am", "Ausgetreten am", "Entlassdatum", "Date de sortie", "Date sortie"),
    *("Date fin", "Fecha de baja", "Fecha de salida", "Data uscita", "Data ritiro", "Data fine", "Uitschrijfdatum"),
    *("Einddatum", "Datum uit dienst", "Data de saída", "Data de fim", "Data wypisania", "Data odejścia"),
    *("Datum ukončení", "Slutdatum", "Sluttdato", "Slutdato", "Päättymispäivä"),
)

# Words of columns that are none of our fields, although their cells may look like one.
NO_FIELD_WORDS: frozenset[str] = frozenset(
    (
        *("gender", "sex", "birth", "birthdate", "birthday", "dob", "born", "phone", "mobile", "cell", "fax", "street"),
        *("address", "city", "town", "zip", "postcode", "postal", "county", "country", "nationality", "language"),
        *("religion", "race", "ethnicity", "ethnic", "hispanic", "house", "bus", "meal", "lunch", "locker", "photo"),
        *("graduated", "graduation", "date", "room", "sen", "medical", "notes", "comment", "name", "school", "class"),
        *("geschlecht", "geburtsdatum", "geburtstag", "geboren", "geburtsort", "telefon", "handy", "strasse", "plz"),
        *("ort", "land", "staatsangehorigkeit", "konfession", "sprache", "kurse", "sexe", "naissance", "telephone"),
        *("adresse", "ville", "commune", "pays", "regime", "option", "sexo", "nacimiento", "telefono", "direccion"),
        *("sesso", "nascita", "indirizzo", "comune", "geslacht", "geboortedatum", "telefoon", "adres", "woonplaats"),
        *("genero", "nascimento", "telefone", "morada", "plec", "urodzenia", "pohlavi", "narozeni", "kon", "kjonn"),
        *("fodelsedatum", "fodselsdato", "syntymaaika", "sukupuoli", "puhelin", "osoite"),
    )
)
