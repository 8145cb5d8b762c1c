//! What the forms and the plan promise.

mod forms;
pub(crate) mod meter;
mod plan;

/// What all of [`EACH`] were made from.
const PASSWORD: &str = "pass wörd 72";

/// A hash in each form that is taken, by the program that makes it, cheap where it lets one choose.
const EACH: [(&str, &str); 32] = [
    ("pbkdf2_sha256 Django", "pbkdf2_sha256$10$fXCzJBLfs9qDF1cfB35Xgr$jDTeSsLz+K6WukpKZ/K23TMamRDrKC3aKdk8+e92qFQ="),
    ("pbkdf2_sha1 Django", "pbkdf2_sha1$10$h7cmDeZCh0fL8sSx6fwe9b$xrCMNEROSan9qUotHiA9VDE6rNY="),
    ("bcrypt Django", "bcrypt$$2b$04$gFtEwp6WzTMtPhPocep/tOBD6RvDJCNB3BLEmyvrPBFTxA.TP8NMe"),
    ("bcrypt_sha256 Django", "bcrypt_sha256$$2b$04$7DD9oSLVw2nzBayCjjZbeOpfBdkUQUS/Ad55YoEFbmEBrEQC8bE4u"),
    (
        "argon2 Django",
        "argon2$argon2id$v=19$m=64,t=1,p=1$MGdNdHdWdmJ5U3FXVGRFMXV3cktXbg$ofLf8VBcOWTWZmyEwzg2pEgUnn1wAdkgzqoIxm9In6c",
    ),
    (
        "scrypt Django",
        "scrypt$16$9PCsrqttrx2lpobrnbhgn0$8$2$geKvhTt//MEnknqb8aceyyKqssAwQ2bnaJMdNOEqnV71j7TjJ/p2NKtP76N1Q3o3BfAEHSNKCjIB7kyOpnKcLw==",
    ),
    (
        "werkzeug scrypt",
        "scrypt:1024:8:1$R0OTZEgMqoynxSZe$0085577afdd02bad7ca5987cf61598e69120b1d9f53527b35a98545d4ce8475455e25d1314c59400045f7b4ede6c1e43b219f5c46a0397a338055f9df8a9957e",
    ),
    ("werkzeug pbkdf2 sha1", "pbkdf2:sha1:10$PI7wJC26KMRhhzpL$55a2d6760a5af2fcd978a2a139da33a3cb63f8bf"),
    (
        "werkzeug pbkdf2 sha256",
        "pbkdf2:sha256:10$kySTqfAEVjoFSHS1$5adf6887d26bc9837011c258c19074326e83c8407c1dc2bb4e6fa26103397d7a",
    ),
    (
        "werkzeug pbkdf2 sha512",
        "pbkdf2:sha512:10$Ht1ri7fBPhgJ8hId$c5d8d4d709cc284593a042b364ab1b6552a6940caf1382f1a8773586b94816245cc8839cdc2bf291728520b140fe608383de3583694d65ab4f71dba40983d59b",
    ),
    ("passlib bcrypt", "$2b$04$oM/zfW88kNlTIdlnDfswaeuk7hnttilkbOENzcyt.va1E7Xiam18C"),
    ("passlib md5_crypt", "$1$XgnjHZWD$UScml2ZgPfxZfrmiOigKx."),
    ("passlib apr_md5_crypt", "$apr1$w8d8fWYj$EedXZ//a76r8q/ZmzYOJU."),
    ("passlib sha256_crypt", "$5$rounds=1000$gL6czA4YbyOYP6Kn$G6iX6djT0l5rnfnj7fXNVdACGc/50NcFkIhrSLlNxq/"),
    (
        "passlib sha512_crypt",
        "$6$rounds=1000$8tLSvnmrYVtQ9UJc$rQGs5JDxVLM0hBEe0Vl6jEyzgLhEMCFEf/MPdh1vIKNp4oOXN4ho9/tI8oWHgHhUpnZemsa.qh.T.dawIK2.w0",
    ),
    ("passlib ldap_sha1", "{SHA}JnBbnMPM00gMxK6VUE7LeIfe21M="),
    ("passlib ldap_salted_sha1", "{SSHA}K0V7JhYmIxZOG8FkMyg+JHP9uN2u9f5/"),
    ("passlib pbkdf2_sha1", "$pbkdf2$10$7f0/h1DqHaN0rtVay7mXUg$ngixua2Tpv21tCvxH/Ak2s5G9vE"),
    ("passlib pbkdf2_sha256", "$pbkdf2-sha256$10$8T7n3Lt3zlmLMeack9L6nw$DJaN3MJZCAq.uRfBPu12a1XWs8NZhVN/nS7beSOZSJg"),
    (
        "passlib pbkdf2_sha512",
        "$pbkdf2-sha512$10$nxPi3LuXspbSWgshBMAYIw$UWQ676fsQOUR7uPLptPd57YDw08BBP5sfCeXgSPf2IDq.vAGeFQ1w.Ffty0sS8QFhzcl5BidJKM.OnbYev2ZLg",
    ),
    ("passlib scrypt", "$scrypt$ln=4,r=8,p=1$MAYgpFQqxdj733sPAUCI8Q$QN1HynHuabdEI4DgCTwY4m2kfwcmtEod8Rw1moUmgsc"),
    (
        "passlib argon2",
        "$argon2id$v=19$m=64,t=1,p=1$l7K2FqK0do6R8v7fu5dyjg$5s8q9f4HJj7w4a0dGT9mfLJ/IdB/XhCZFcB3TfVc+u8",
    ),
    ("passlib argon2", "$argon2i$v=19$m=64,t=1,p=1$c47RGoMQYiwFAIBwLmUspQ$Ux6Ye2z1UXVcNCL54nuvAUhxpcDDEhUSPzg+Rz/9GJA"),
    ("passlib argon2", "$argon2d$v=19$m=64,t=1,p=1$MYbQutc6ZwyBkNL6/793bg$6SDOhruFurSkvMFq2swFXV3xcRG6Om75iX1JJfjQEDQ"),
    ("passlib bcrypt_sha256", "$bcrypt-sha256$v=2,t=2b,r=4$n9ZQXghGVL.p1vtOOHZXO.$EqVcuXBLSS8W7cxotlrqBf52/JV1fnC"),
    ("passlib atlassian_pbkdf2_sha1", "{PKCS5S2}IOR8791b6703Zsz5fy/lnDuNR8mIRqynIzRy7ED6nu19NPUhJQwcujNeMFVqug/B"),
    ("passlib cta_pbkdf2_sha1", "$p5k2$a$GCNECGHsXWtNaa0VImRM6Q==$efDVSrPZluIVB87AD2xjfLqg3IA="),
    ("passlib dlitz_pbkdf2_sha1", "$p5k2$a$hiC2JPbSWZt4QUGg$ckm/cHr9nict32/6LYFhc1QXpC9StyB8"),
    (
        "passlib grub_pbkdf2_sha512",
        "grub.pbkdf2.sha512.10.F77ECF99B3B61602C0D85BABB5F6DE7B6F8D514A694DC91983502A85D03AE71CC3B857AAB5D69AB31642682D2524C41843A8F57E0FA1D4FA7F0F61ECBD3726A4.B00468EC6D5AD077FDF0C230403DD4DF52D11F2934FADA1EC874B3C094A896ADDBB55873121A96CA3469B518D83230702CA7E8264431C75369CB07E1BB6E117E",
    ),
    ("passlib bcrypt_sha256 v1", "$bcrypt-sha256$2b,4$JWfvAUuEdZiLBTDdhBVig.$4qiK5oDzcheJGRvBpO44RuKTWrTYp9."),
    ("crypt(3) scrypt", "$7$4/..../....saltsalt$Xl4CB0/GgtTRMmLsigzskt9mLGsXraS.GTi.o8o6kr6"),
    ("htpasswd -m", "$apr1$dERJvhBp$ytvnSc9oa9HsECfW7w7P00"),
];
