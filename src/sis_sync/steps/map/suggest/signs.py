"""The headers by which a system is recognised, spelled as it spells them. Blanks and underscores must match.

Each key is a preset, or one file of a bundle. A sign may be a column that no field reads.
"""

# A file must have this many signs; more if files of other systems have some of them too.
MIN_SIGNS = 2
NEEDS_MORE: dict[str, int] = {
    **dict.fromkeys(("clever-students", "clever-teachers", "clever-staff", "canvas-sis", "aspen"), 3),
    **dict.fromkeys(("powerschool-students", "cases21-students", "sims", "iserv-schild"), 3),
    **dict.fromkeys(("apple-school-manager-students", "apple-school-manager-staff"), 3),
}
# Upper and lower case must match too: in lower case, any database has such columns.
CASE_COUNTS = frozenset(("clever-students", "clever-teachers", "clever-staff"))

SIGNS: dict[str, tuple[str, ...]] = {
    "aeries-staff": ("STF.ID", "STF.FN", "STF.LN", "STF.EM", "STF.PSC", "STF.TI", "STF.TG", "STF.SC"),
    "aeries-students": (
        *("STU.SC", "STU.SN", "STU.ID", "STU.CID", "STU.LN", "STU.FN", "STU.MN", "STU.GR", "STU.TG", "STU.SEM"),
        *("STU.BD", "STU.SX", "STU.TCH", "STU.NID"),
    ),
    "apple-school-manager-students": (
        *("person_id", "person_number", "grade_level", "email_address", "sis_username", "password_policy"),
        *("location_id", "location_id_2"),
    ),
    "apple-school-manager-staff": (
        *("person_id", "person_number", "email_address", "sis_username", "location_id", "location_id_2"),
    ),
    "aspen": (
        *("psnNameFirst", "psnNameLast", "psnNameMiddle", "psnEmail01", "stdIDLocal", "stdIDState", "stdYog"),
        *("stdGradeLevel", "stdHomeroom", "stdEnrStatus", "sklSchoolID", "sklSchoolName", "stdViewName", "LASID"),
        *("SASID", "YOG", "Pupil #", "psnDob", "stdOID", "psnOID"),
    ),
    "canvas-api": ("sortable_name", "short_name", "sis_user_id", "integration_id", "sis_import_id", "login_id"),
    "canvas-sis": (
        *("user_id", "login_id", "declared_user_type", "sortable_name", "short_name", "integration_id"),
        *("authentication_provider_id", "canvas_user_id", "ssha_password", "home_account"),
    ),
    "cases21-staff": ("SFKEY", "PAYROLL_REC_NO", "PAYROLL_CLASS", "STAFF_TYPE", "STAFF_STATUS", "PREF_NAME", "E_MAIL"),
    "cases21-students": (
        *("STKEY", "SKEY", "SECOND_NAME", "PREF_NAME", "SCHOOL_YEAR", "HOME_GROUP", "E_MAIL", "NEXT_HG", "CONTACT_A"),
        *("LW_DATE", "EXIT_DATE"),
    ),
    "clever-staff": ("School_id", "Staff_id", "Staff_email", "Department", "Title", "Role"),
    "clever-students": (
        *("School_id", "Student_id", "Student_number", "State_id", "Student_email", "Hispanic_Latino", "Ell_status"),
        *("Frl_status", "IEP_status", "Contact_email", "Contact_relationship", "Contact_type", "Student_street"),
    ),
    "clever-teachers": (*("School_id", "Teacher_id", "Teacher_number", "State_teacher_id", "Teacher_email"),),
    "edfi-lms-users": (
        *("SourceSystemIdentifier", "SourceSystem", "UserRole", "LocalUserIdentifier", "SISUserIdentifier"),
        *("SourceCreateDate", "SourceLastModifiedDate"),
    ),
    "edfi-staff": ("StaffUniqueId", "StaffUSI", "LastSurname", "ElectronicMailAddress", "StaffClassification"),
    "edfi-students": (
        *("StudentUniqueId", "StudentUSI", "LastSurname", "ElectronicMailAddress", "GradeLevelDescriptor"),
        *("EntryGradeLevel", "GenerationCodeSuffix"),
    ),
    "infinite-campus": (
        *("student.studentNumber", "student.stateID", "student.lastName", "student.firstName", "student.middleName"),
        *("student.grade", "student.activeToday", "student.endStatus", "sch.number", "calendar.schoolID"),
        *("contacts.email", "pcontact.email", "individual.lastName", "individual.firstName"),
    ),
    "iserv-schild": ("kurse", "klasse", "nachname", "vorname", "Import-ID", "Interne ID-Nummer"),
    "microsoft-sds-student": ("SIS ID", "School SIS ID"),
    "microsoft-sds-teacher": ("SIS ID", "School SIS ID"),
    "oneroster": (
        *("sourcedId", "dateLastModified", "enabledUser", "orgSourcedIds", "givenName", "familyName", "userIds"),
        *("agentSourcedIds", "userMasterIdentifier", "primaryOrgSourcedId", "preferredGivenName"),
    ),
    "powerschool-staff": (
        *("TeacherNumber", "HomeSchoolID", "SchoolID", "StaffStatus", "Email_Addr"),
        *("TeacherLoginID", "SIF_StatePrid", "LastFirst", "Users_DCID"),
    ),
    "powerschool-students": (
        *("Student_Number", "State_StudentNumber", "SchoolID", "Grade_Level", "Enroll_Status", "Network_ID"),
        *("Home_Room", "EntryDate", "ExitDate", "FTEID", "DCID", "LastFirst", "Sched_NextYearGrade", "EntryCode"),
        *("ExitCode", "Student_Web_ID", "U_STUDENTINFO.EMAIL"),
    ),
    "siecle": (
        *("Identifiant unique*", "Premier prénom*", "Deuxième prénom", "Troisième prénom", "Nom de famille*"),
        *("Code MEF*", "Division*", "Code commune naissance**", "Libellé commune naissance**", "Statut*"),
    ),
    "sims": (
        *("adno", "Legal Forename", "Legal Surname", "Preferred Forename", "Preferred Surname", "Reg", "On Roll"),
        *("Year of Entry", "Leaving date"),
    ),
    "skyward": (
        *("STU_LEGAL_FIRST", "STU_LEGAL_LAST", "STU_LEGAL_MIDDLE", "CUR_SCHOOL_CODE", "CUR_SCHOOL_NAME", "ENTITY_ID"),
        *("SCHL_EMAIL_ADDR", "STUDENT_GRADE", "STU_GRAD_YR"),
    ),
    "synergy": (*("SIS_NUMBER", "HOMEROOM_TCH", "CALCULATED_GRAD_YEAR", "MIDDLE_INITIAL", "ENTER_DATE"),),
}
for _file in ("student", "teacher"):  # the same file with logins in Username, not addresses
    SIGNS[f"microsoft-sds-{_file}-logins"] = SIGNS[f"microsoft-sds-{_file}"]
