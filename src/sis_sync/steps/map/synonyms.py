"""Names that student information systems use for our fields, best first, and headers about another person.

Sources: the data dictionaries and sample files of PowerSchool, Infinite Campus, Skyward, Aeries, Google's bulk file and
Ed-Fi. Names that a preset reads are in the presets.
"""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "first_name": ("First", "FN", "Given Name", "Given", "Forename", "Legal First Name", "Preferred First Name"),
    "middle_name": ("Middle", "MN", "Middle Initial", "MI", "Second Name"),
    "last_name": ("Last", "LN", "Surname", "Family Name", "Last Surname", "Legal Last Name"),
    "email": (
        *("Mail", "E-mail Address", "Email Addr", "School Email", "School Email Address", "Work Email"),
        *("Primary Email", "District Email", "SEM", "EM", "UPN", "User Principal Name", "Electronic Mail Address"),
    ),
    "custom_id": (
        *("Student Number", "Student ID", "Student No", "Student #", "Pupil ID", "Pupil Number", "Learner ID"),
        *("Employee ID", "Employee Number", "Employee No", "Staff ID", "Staff Number", "Local Staff ID"),
        *("Teacher ID", "Teacher Number", "Person ID", "Person Number", "SIS ID", "Local ID", "Local Student ID"),
        *("Other ID", "User ID", "Unique ID", "Student Unique ID", "Staff Unique ID", "External ID", "Identifier"),
        *("ID", "State Student Number", "State ID", "Student State ID"),
    ),
    "school_district_external_id": (
        *("External ID of the School", "Org ID", "Organization ID", "School ID", "School Number", "School No"),
        *("School Code", "Site ID", "Site Number", "Site Code", "Building ID", "Building Code", "Building"),
        *("Entity ID", "Entity", "Location ID", "Location Code", "Campus ID", "Home School ID", "Home School"),
        *("School", "Site", "SC", "PSC", "District ID"),
    ),
    "user_type": ("Role", "User Role", "Person Type", "Account Type", "Primary Role", "Member Type", "Type"),
    "position": ("Title", "Job Title", "Job", "Employee Title", "Staff Classification", "TI"),
    "grade": ("Grade Level", "Grades", "Gr", "Grd", "Current Grade", "Grade Code", "Year Level", "Year Group"),
    "status": (
        *("Account Status", "Enroll Status", "Enrollment Status", "Enrolment Status", "Student Status"),
        *("Employment Status", "Staff Status", "Active", "Is Active", "Enabled", "Active Today", "End Status", "TG"),
    ),
}

# "Student First Name", "Employee Status": the person of the row, named before the field.
WHO: tuple[str, ...] = ("", "Student", "Pupil", "Staff", "Employee", "Teacher", "User", "Person", "Individual")

FULL_NAME: tuple[str, ...] = ("Name", "Full Name", "Display Name", "Sortable Name", "Last First", "Name Last First")

LOGIN_NAME: tuple[str, ...] = ("Username", "User Name", "Login", "Login ID", "Network ID", "Account Name", "SAM")

OTHER_PERSON_WORDS: tuple[str, ...] = (
    *("parent", "guardian", "contact", "mother", "father", "emergency", "relative", "relation", "homeroom"),
    *("advisor", "counselor", "counsellor", "physician", "doctor"),
)
