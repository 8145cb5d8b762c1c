//! What a person reads for each reason: what happened, then what they can do. Nothing here helps an attacker, and
//! `account_disabled` has no words of its own.

use super::language::{Language, Text};
use super::page::Heading;
use crate::reason::Reason;

/// What a person reads for a reason.
#[derive(Clone, Copy, Debug)]
pub struct Sentences {
    /// In large letters, on a page.
    pub heading: Heading,
    /// What happened.
    pub happened: Text,
    /// What they can do; empty where there is nothing to do.
    pub advice: Text,
}

impl Sentences {
    /// Both sentences, in one language.
    pub fn whole(&self, language: Language) -> String {
        let (happened, advice) = (self.happened.of(language), self.advice.of(language));
        if advice.is_empty() { happened.to_owned() } else { [happened, language.space(), advice].concat() }
    }
}

macro_rules! reasons {
    ($( $reason:ident $heading:ident en $en:literal $en_do:literal de $de:literal $de_do:literal fr $fr:literal $fr_do:literal es $es:literal $es_do:literal zh $zh:literal $zh_do:literal )*) => {
        /// The sentences that go with a reason.
        pub const fn sentences(reason: Reason) -> Sentences {
            match reason {
                $( Reason::$reason => Sentences {
                    heading: Heading::$heading,
                    happened: Text { en: $en, de: $de, fr: $fr, es: $es, zh: $zh },
                    advice: Text { en: $en_do, de: $de_do, fr: $fr_do, es: $es_do, zh: $zh_do },
                }, )*
                Reason::AccountDisabled => sentences(Reason::CredentialsInvalid),
            }
        }
    };
}

reasons! {
    Allowed Granted
        en "The request was let in." ""
        de "Die Anfrage wurde zugelassen." ""
        fr "La requête a été acceptée." ""
        es "La solicitud ha sido admitida." ""
        zh "该请求已获准。" ""
    Public Granted
        en "This address is open to everyone." ""
        de "Diese Adresse steht allen offen." ""
        fr "Cette adresse est ouverte à tous." ""
        es "Esta dirección está abierta a todos." ""
        zh "此地址对所有人开放。" ""
    Anonymous Granted
        en "The request was let in without a login." ""
        de "Die Anfrage wurde ohne Anmeldung zugelassen." ""
        fr "La requête a été acceptée sans connexion." ""
        es "La solicitud ha sido admitida sin iniciar sesión." ""
        zh "该请求无需登录即已获准。" ""
    Preflight Granted
        en "The browser may ask before it sends the request itself." ""
        de "Der Browser darf fragen, bevor er die eigentliche Anfrage sendet." ""
        fr "Le navigateur peut interroger le service avant d’envoyer la requête elle-même." ""
        es "El navegador puede preguntar antes de enviar la solicitud." ""
        zh "浏览器可以在发送请求之前先行询问。" ""
    Passed Granted
        en "This address is not guarded here." ""
        de "Diese Adresse wird hier nicht geschützt." ""
        fr "Cette adresse n’est pas protégée ici." ""
        es "Esta dirección no está protegida aquí." ""
        zh "此地址不在这里的保护范围内。" ""
    Endpoint Granted
        en "The answer comes from the login service." ""
        de "Die Antwort kommt vom Anmeldedienst." ""
        fr "La réponse provient du service de connexion." ""
        es "La respuesta procede del servicio de inicio de sesión." ""
        zh "该响应来自登录服务。" ""
    LoginRedirect LoginNeeded
        en "Please log in to continue." ""
        de "Bitte melden Sie sich an, um fortzufahren." ""
        fr "Veuillez vous connecter pour continuer." ""
        es "Inicie sesión para continuar." ""
        zh "请登录以继续。" ""

    RequestMalformed NotUnderstood
        en "The request could not be read." "Check the address and the program that sends it."
        de "Die Anfrage war nicht lesbar." "Prüfen Sie die Adresse und das Programm, das die Anfrage sendet."
        fr "La requête n’a pas pu être lue." "Vérifiez l’adresse et le programme qui envoie la requête."
        es "No se ha podido leer la solicitud." "Compruebe la dirección y el programa que envía la solicitud."
        zh "无法读取该请求。" "请检查地址以及发送请求的程序。"
    TargetAmbiguous NotUnderstood
        en "The address can be understood in more than one way." "Write it in its plain form, without encoded slashes, dots or semicolons."
        de "Die Adresse lässt sich auf mehrere Arten lesen." "Schreiben Sie sie in ihrer einfachen Form, ohne kodierte Schrägstriche, Punkte oder Semikolons."
        fr "L’adresse peut être comprise de plusieurs façons." "Écrivez-la sous sa forme simple, sans barres obliques, points ni points-virgules encodés."
        es "La dirección puede interpretarse de más de una manera." "Escríbala en su forma simple, sin barras, puntos ni puntos y comas codificados."
        zh "该地址可以有多种理解方式。" "请使用其普通写法，不要包含经过编码的斜杠、点或分号。"
    CredentialsAmbiguous NotUnderstood
        en "The request carries more than one credential." "Send exactly one."
        de "Die Anfrage enthält mehrfach Anmeldedaten." "Senden Sie sie genau einmal."
        fr "La requête comporte plusieurs moyens d’authentification." "N’en envoyez qu’un seul."
        es "La solicitud contiene más de una credencial." "Envíe solo una."
        zh "该请求包含多个登录凭据。" "请只发送一个。"
    RequestTooLarge TooLarge
        en "The address or a header field is too long." "Shorten it, or clear this site's cookies."
        de "Die Adresse oder ein Kopffeld ist zu lang." "Kürzen Sie die Angabe oder löschen Sie die Cookies dieser Website."
        fr "L’adresse ou un champ d’en-tête est trop long." "Raccourcissez cet élément ou effacez les cookies de ce site."
        es "La dirección o un campo de cabecera es demasiado largo." "Acórtelo o borre las cookies de este sitio."
        zh "地址或某个标头字段过长。" "请将其缩短，或清除本网站的 Cookie。"
    ContentTooLarge TooLarge
        en "The request's content is too large." "Send less at once."
        de "Der Inhalt der Anfrage ist zu groß." "Senden Sie weniger auf einmal."
        fr "Le contenu de la requête est trop volumineux." "Envoyez moins de données à la fois."
        es "El contenido de la solicitud es demasiado grande." "Envíe menos datos a la vez."
        zh "请求的内容过大。" "请减少一次发送的内容。"

    CredentialsMissing LoginNeeded
        en "This address needs a login and the request carried none." "Log in, or send your credentials with the request."
        de "Für diese Adresse ist eine Anmeldung nötig, und die Anfrage enthielt keine." "Melden Sie sich an, oder senden Sie Ihre Anmeldedaten mit der Anfrage."
        fr "Cette adresse exige une connexion et la requête ne contenait aucun identifiant." "Connectez-vous ou joignez vos identifiants à la requête."
        es "Esta dirección requiere iniciar sesión y la solicitud no incluía credenciales." "Inicie sesión o envíe sus credenciales con la solicitud."
        zh "访问此地址需要登录，但请求中没有登录凭据。" "请登录，或随请求发送您的凭据。"
    CredentialsMalformed LoginFailed
        en "The credentials could not be read." "Check that they were copied whole and are sent in the expected form."
        de "Die Anmeldedaten waren nicht lesbar." "Prüfen Sie, ob sie vollständig kopiert wurden und in der erwarteten Form gesendet werden."
        fr "Les identifiants n’ont pas pu être lus." "Vérifiez qu’ils ont été copiés en entier et qu’ils sont envoyés sous la forme attendue."
        es "No se han podido leer las credenciales." "Compruebe que se copiaron completas y que se envían en la forma esperada."
        zh "无法读取登录凭据。" "请检查凭据是否复制完整，并以要求的格式发送。"
    SchemeNotAccepted LoginFailed
        en "This address does not accept this kind of credentials." "The WWW-Authenticate field lists what it accepts."
        de "Diese Adresse nimmt diese Art von Anmeldedaten nicht an." "Was sie annimmt, steht im Feld WWW-Authenticate."
        fr "Cette adresse n’accepte pas ce type d’identifiants." "Le champ WWW-Authenticate indique ce qu’elle accepte."
        es "Esta dirección no acepta este tipo de credenciales." "El campo WWW-Authenticate indica cuáles acepta."
        zh "此地址不接受这种登录凭据。" "WWW-Authenticate 字段列出了它接受的方式。"
    CredentialsInvalid LoginFailed
        en "The user name or the password is not right." "Check both, and whether Caps Lock is on."
        de "Der Benutzername oder das Passwort ist nicht richtig." "Prüfen Sie beides, und ob die Feststelltaste aktiv ist."
        fr "Le nom d’utilisateur ou le mot de passe est incorrect." "Vérifiez ces deux informations, et que le verrouillage des majuscules est désactivé."
        es "El nombre de usuario o la contraseña no son correctos." "Compruebe ambos y si está activado el bloqueo de mayúsculas."
        zh "用户名或密码不正确。" "请检查两者，并确认大写锁定没有打开。"
    PasswordExpired NewPassword
        en "Your password has expired." "Change it, then log in again."
        de "Ihr Passwort ist abgelaufen." "Ändern Sie es und melden Sie sich dann wieder an."
        fr "Votre mot de passe a expiré." "Changez-le, puis reconnectez-vous."
        es "Su contraseña ha caducado." "Cámbiela y vuelva a iniciar sesión."
        zh "您的密码已过期。" "请更改密码，然后重新登录。"
    FactorRequired OneMoreStep
        en "This address needs a second step of login." "Log in again with your second factor."
        de "Für diese Adresse ist ein zweiter Anmeldeschritt nötig." "Melden Sie sich erneut an, mit Ihrem zweiten Faktor."
        fr "Cette adresse nécessite une seconde étape de connexion." "Reconnectez-vous avec votre second facteur."
        es "Esta dirección requiere un segundo paso de inicio de sesión." "Vuelva a iniciar sesión con su segundo factor."
        zh "访问此地址需要第二步登录验证。" "请使用您的第二重验证方式重新登录。"
    LoginTooOld LoginAgain
        en "This address needs a recent login." "Log in again."
        de "Für diese Adresse muss die Anmeldung frisch sein." "Melden Sie sich erneut an."
        fr "Cette adresse nécessite une connexion récente." "Reconnectez-vous."
        es "Esta dirección requiere un inicio de sesión reciente." "Vuelva a iniciar sesión."
        zh "访问此地址需要近期登录过。" "请重新登录。"
    SessionUnknown LoginAgain
        en "You are not logged in any more." "Log in again."
        de "Sie sind nicht mehr angemeldet." "Melden Sie sich erneut an."
        fr "Votre session n’est plus active." "Reconnectez-vous."
        es "Su sesión ya no está activa." "Vuelva a iniciar sesión."
        zh "您已不再处于登录状态。" "请重新登录。"
    SessionIdle LoginAgain
        en "You were logged out because nothing happened for a while." "Log in again."
        de "Sie wurden abgemeldet, weil eine Zeit lang nichts geschah." "Melden Sie sich erneut an."
        fr "Votre session a été fermée après une période d’inactivité." "Reconnectez-vous."
        es "Su sesión se ha cerrado tras un periodo de inactividad." "Vuelva a iniciar sesión."
        zh "由于一段时间没有操作，您已退出登录。" "请重新登录。"
    SessionExpired LoginAgain
        en "Your login has expired." "Log in again."
        de "Ihre Anmeldung ist abgelaufen." "Melden Sie sich erneut an."
        fr "Votre session a expiré." "Reconnectez-vous."
        es "Su sesión ha caducado." "Vuelva a iniciar sesión."
        zh "您的登录已过期。" "请重新登录。"
    SessionRevoked LoginAgain
        en "Your login was ended." "Log in again."
        de "Ihre Anmeldung wurde beendet." "Melden Sie sich erneut an."
        fr "Il a été mis fin à votre session." "Reconnectez-vous."
        es "Se ha puesto fin a su sesión." "Vuelva a iniciar sesión."
        zh "您的登录已被终止。" "请重新登录。"
    ApiKeyUnknown LoginFailed
        en "This API key is not known here." "Check that it belongs to this service, or ask for a new one."
        de "Dieser API-Schlüssel ist hier nicht bekannt." "Prüfen Sie, ob er zu diesem Dienst gehört, oder bitten Sie um einen neuen."
        fr "Cette clé d’API n’est pas connue ici." "Vérifiez qu’elle appartient à ce service, ou demandez-en une nouvelle."
        es "Esta clave de API no se conoce aquí." "Compruebe que pertenece a este servicio o solicite una nueva."
        zh "此处无法识别该 API 密钥。" "请确认它属于本服务，或申请新的密钥。"
    ApiKeyExpired LoginFailed
        en "This API key has expired." "Ask for a new one."
        de "Dieser API-Schlüssel ist abgelaufen." "Bitten Sie um einen neuen."
        fr "Cette clé d’API a expiré." "Demandez-en une nouvelle."
        es "Esta clave de API ha caducado." "Solicite una nueva."
        zh "该 API 密钥已过期。" "请申请新的密钥。"
    ApiKeyRevoked LoginFailed
        en "This API key was revoked." "Ask for a new one."
        de "Dieser API-Schlüssel wurde widerrufen." "Bitten Sie um einen neuen."
        fr "Cette clé d’API a été révoquée." "Demandez-en une nouvelle."
        es "Esta clave de API ha sido revocada." "Solicite una nueva."
        zh "该 API 密钥已被吊销。" "请申请新的密钥。"
    TokenMalformed LoginFailed
        en "The token could not be read." "Get a new one and send it whole."
        de "Das Token war nicht lesbar." "Holen Sie ein neues und senden Sie es vollständig."
        fr "Le jeton n’a pas pu être lu." "Obtenez-en un nouveau et envoyez-le en entier."
        es "No se ha podido leer el token." "Obtenga uno nuevo y envíelo completo."
        zh "无法读取该令牌。" "请获取新的令牌并完整发送。"
    TokenIssuer LoginFailed
        en "This token does not come from an issuer that is accepted here." "Get one from the right issuer."
        de "Dieses Token stammt von keinem Aussteller, der hier anerkannt wird." "Holen Sie eines vom richtigen Aussteller."
        fr "Ce jeton ne provient pas d’un émetteur accepté ici." "Obtenez-en un auprès du bon émetteur."
        es "Este token no procede de un emisor aceptado aquí." "Obtenga uno del emisor correcto."
        zh "该令牌并非来自此处认可的签发方。" "请从正确的签发方获取令牌。"
    TokenAlgorithm LoginFailed
        en "This token is signed in a way that is not accepted here." "Get a new one from the issuer."
        de "Dieses Token ist auf eine Weise signiert, die hier nicht angenommen wird." "Holen Sie ein neues vom Aussteller."
        fr "Ce jeton est signé d’une manière qui n’est pas acceptée ici." "Obtenez-en un nouveau auprès de l’émetteur."
        es "Este token está firmado de una forma que no se acepta aquí." "Obtenga uno nuevo del emisor."
        zh "该令牌的签名方式在此处不被接受。" "请向签发方获取新的令牌。"
    TokenKeyUnknown LoginFailed
        en "This token is signed with a key that is not known here." "Get a new one from the issuer."
        de "Dieses Token ist mit einem Schlüssel signiert, der hier nicht bekannt ist." "Holen Sie ein neues vom Aussteller."
        fr "Ce jeton est signé avec une clé qui n’est pas connue ici." "Obtenez-en un nouveau auprès de l’émetteur."
        es "Este token está firmado con una clave que no se conoce aquí." "Obtenga uno nuevo del emisor."
        zh "该令牌使用了此处无法识别的密钥签名。" "请向签发方获取新的令牌。"
    TokenSignature LoginFailed
        en "The token's signature is not right." "Get a new one from the issuer."
        de "Die Signatur des Tokens ist nicht richtig." "Holen Sie ein neues vom Aussteller."
        fr "La signature du jeton est incorrecte." "Obtenez-en un nouveau auprès de l’émetteur."
        es "La firma del token no es correcta." "Obtenga uno nuevo del emisor."
        zh "该令牌的签名不正确。" "请向签发方获取新的令牌。"
    TokenExpired LoginAgain
        en "The token has expired." "Get a new one."
        de "Das Token ist abgelaufen." "Holen Sie ein neues."
        fr "Le jeton a expiré." "Obtenez-en un nouveau."
        es "El token ha caducado." "Obtenga uno nuevo."
        zh "该令牌已过期。" "请获取新的令牌。"
    TokenNotYetValid LoginFailed
        en "The token is not valid yet." "Check the clock of the machine that made it."
        de "Das Token ist noch nicht gültig." "Prüfen Sie die Uhr des Rechners, der es ausgestellt hat."
        fr "Le jeton n’est pas encore valable." "Vérifiez l’horloge de la machine qui l’a émis."
        es "El token todavía no es válido." "Compruebe el reloj del equipo que lo emitió."
        zh "该令牌尚未生效。" "请检查签发该令牌的计算机的时钟。"
    TokenAudience LoginFailed
        en "This token was made for another service." "Get one for this service."
        de "Dieses Token wurde für einen anderen Dienst ausgestellt." "Holen Sie eines für diesen Dienst."
        fr "Ce jeton a été émis pour un autre service." "Obtenez-en un pour ce service."
        es "Este token se emitió para otro servicio." "Obtenga uno para este servicio."
        zh "该令牌是为另一项服务签发的。" "请获取用于本服务的令牌。"
    TokenType LoginFailed
        en "This is not the kind of token that is accepted here." "Send an access token."
        de "Diese Art von Token wird hier nicht angenommen." "Senden Sie ein Zugriffstoken."
        fr "Ce type de jeton n’est pas accepté ici." "Envoyez un jeton d’accès."
        es "Este tipo de token no se acepta aquí." "Envíe un token de acceso."
        zh "此处不接受这种类型的令牌。" "请发送访问令牌。"
    TokenClaim LoginFailed
        en "The token lacks something that is needed here." "Get a new one from the issuer."
        de "Dem Token fehlt etwas, das hier nötig ist." "Holen Sie ein neues vom Aussteller."
        fr "Il manque au jeton un élément nécessaire ici." "Obtenez-en un nouveau auprès de l’émetteur."
        es "Al token le falta algo que aquí es necesario." "Obtenga uno nuevo del emisor."
        zh "该令牌缺少此处所需的信息。" "请向签发方获取新的令牌。"
    TokenRevoked LoginAgain
        en "The token was revoked." "Log in again to get a new one."
        de "Das Token wurde widerrufen." "Melden Sie sich erneut an, um ein neues zu erhalten."
        fr "Le jeton a été révoqué." "Reconnectez-vous pour en obtenir un nouveau."
        es "El token ha sido revocado." "Vuelva a iniciar sesión para obtener uno nuevo."
        zh "该令牌已被吊销。" "请重新登录以获取新的令牌。"
    TokenBinding LoginFailed
        en "The token is bound to another client." "Use it from where it was issued."
        de "Das Token ist an einen anderen Client gebunden." "Verwenden Sie es mit dem Client, für den es ausgestellt wurde."
        fr "Le jeton est lié à un autre client." "Utilisez-le depuis le client pour lequel il a été émis."
        es "El token está vinculado a otro cliente." "Úselo desde el cliente para el que se emitió."
        zh "该令牌已绑定到另一个客户端。" "请在获得该令牌的客户端上使用。"
    DpopProof LoginFailed
        en "The proof that belongs to the token is not right." "Make a new one for each request."
        de "Der Nachweis, der zum Token gehört, ist nicht richtig." "Erstellen Sie für jede Anfrage einen neuen."
        fr "La preuve associée au jeton est incorrecte." "Créez-en une nouvelle pour chaque requête."
        es "La prueba asociada al token no es correcta." "Cree una nueva para cada solicitud."
        zh "与令牌对应的证明不正确。" "请为每个请求生成新的证明。"
    DpopNonce LoginFailed
        en "The proof must carry the nonce of this server." "Repeat the request with it."
        de "Der Nachweis muss die Nonce dieses Servers enthalten." "Wiederholen Sie die Anfrage damit."
        fr "La preuve doit contenir le nonce de ce serveur." "Répétez la requête avec celui-ci."
        es "La prueba debe llevar el nonce de este servidor." "Repita la solicitud con él."
        zh "证明中必须包含此服务器提供的 nonce。" "请带上它重新发送请求。"

    RouteUnknown NothingHere
        en "There is nothing to see at this address." "Check it for typing errors."
        de "Unter dieser Adresse gibt es nichts zu sehen." "Prüfen Sie sie auf Tippfehler."
        fr "Il n’y a rien à voir à cette adresse." "Vérifiez qu’elle ne contient pas de faute de frappe."
        es "No hay nada que ver en esta dirección." "Compruebe que no tenga errores de escritura."
        zh "此地址没有可查看的内容。" "请检查地址是否输入有误。"
    MethodNotGranted NotThisWay
        en "This kind of request is not allowed at this address." "Check which method the program sends."
        de "Diese Art von Anfrage ist unter dieser Adresse nicht erlaubt." "Prüfen Sie, welche Methode das Programm sendet."
        fr "Ce type de requête n’est pas autorisé à cette adresse." "Vérifiez la méthode que le programme envoie."
        es "Este tipo de solicitud no está permitido en esta dirección." "Compruebe qué método envía el programa."
        zh "此地址不允许这种类型的请求。" "请检查程序使用的请求方法。"
    TlsRequired NotSecure
        en "This address can only be used over a secure connection." "Use https."
        de "Diese Adresse ist nur über eine sichere Verbindung erreichbar." "Verwenden Sie https."
        fr "Cette adresse n’est utilisable que par une connexion sécurisée." "Utilisez https."
        es "Esta dirección solo puede usarse mediante una conexión segura." "Utilice https."
        zh "此地址只能通过安全连接访问。" "请使用 https。"
    NetworkNotAllowed NoAccess
        en "This address cannot be used from your network." "Connect from an allowed network, or ask an administrator."
        de "Diese Adresse kann aus Ihrem Netz nicht genutzt werden." "Verbinden Sie sich aus einem zugelassenen Netz, oder wenden Sie sich an die Administration."
        fr "Cette adresse n’est pas utilisable depuis votre réseau." "Connectez-vous depuis un réseau autorisé ou adressez-vous à un administrateur."
        es "Esta dirección no puede usarse desde su red." "Conéctese desde una red autorizada o consulte a un administrador."
        zh "无法从您的网络访问此地址。" "请从允许的网络连接，或联系管理员。"
    CrossSite Stopped
        en "The request came from another site and was stopped." "Open the page itself and try again."
        de "Die Anfrage kam von einer anderen Website und wurde angehalten." "Öffnen Sie die Seite selbst und versuchen Sie es noch einmal."
        fr "La requête provenait d’un autre site et a été bloquée." "Ouvrez la page elle-même et réessayez."
        es "La solicitud procedía de otro sitio y se ha bloqueado." "Abra la propia página e inténtelo de nuevo."
        zh "该请求来自其他网站，已被拦截。" "请直接打开该页面后重试。"
    RoleMissing NoAccess
        en "You are logged in, but your account does not have the role that this needs." "Ask an administrator."
        de "Sie sind angemeldet, aber Ihrem Konto fehlt die Rolle, die hierfür nötig ist." "Wenden Sie sich an die Administration."
        fr "La connexion a réussi, mais votre compte n’a pas le rôle nécessaire." "Adressez-vous à un administrateur."
        es "Ha iniciado sesión, pero su cuenta no tiene el rol necesario." "Consulte a un administrador."
        zh "您已登录，但您的账户没有所需的角色。" "请联系管理员。"
    ScopeMissing NoAccess
        en "Your token or key was not given the scope that this needs." "Get one with the right scope."
        de "Ihr Token oder Schlüssel hat nicht den Scope, der hierfür nötig ist." "Verwenden Sie ein Token oder einen Schlüssel mit dem richtigen Scope."
        fr "Votre jeton ou votre clé n’a pas la portée (scope) nécessaire." "Utilisez un jeton ou une clé ayant la bonne portée."
        es "Su token o su clave no tiene el alcance (scope) necesario." "Obtenga uno con el alcance correcto."
        zh "您的令牌或密钥没有所需的权限范围（scope）。" "请获取具有正确权限范围的令牌或密钥。"
    PermissionMissing NoAccess
        en "You are logged in, but your account may not do this." "Ask an administrator."
        de "Sie sind angemeldet, aber Ihr Konto darf das nicht." "Wenden Sie sich an die Administration."
        fr "La connexion a réussi, mais votre compte n’y est pas autorisé." "Adressez-vous à un administrateur."
        es "Ha iniciado sesión, pero su cuenta no está autorizada para esto." "Consulte a un administrador."
        zh "您已登录，但您的账户无权执行此操作。" "请联系管理员。"
    ClaimMismatch NoAccess
        en "You are logged in, but your account may not do this." "Ask an administrator."
        de "Sie sind angemeldet, aber Ihr Konto darf das nicht." "Wenden Sie sich an die Administration."
        fr "La connexion a réussi, mais votre compte n’y est pas autorisé." "Adressez-vous à un administrateur."
        es "Ha iniciado sesión, pero su cuenta no está autorizada para esto." "Consulte a un administrador."
        zh "您已登录，但您的账户无权执行此操作。" "请联系管理员。"
    RequirementUnmet NoAccess
        en "You are logged in, but your account may not do this." "Ask an administrator."
        de "Sie sind angemeldet, aber Ihr Konto darf das nicht." "Wenden Sie sich an die Administration."
        fr "La connexion a réussi, mais votre compte n’y est pas autorisé." "Adressez-vous à un administrateur."
        es "Ha iniciado sesión, pero su cuenta no está autorizada para esto." "Consulte a un administrador."
        zh "您已登录，但您的账户无权执行此操作。" "请联系管理员。"

    Throttled TooMany
        en "Too many failed attempts." "Wait as long as the Retry-After field says, then try again."
        de "Zu viele fehlgeschlagene Versuche." "Warten Sie so lange, wie das Feld Retry-After angibt, und versuchen Sie es dann noch einmal."
        fr "Trop de tentatives infructueuses." "Attendez le temps indiqué par le champ Retry-After, puis réessayez."
        es "Demasiados intentos fallidos." "Espere el tiempo que indica el campo Retry-After y vuelva a intentarlo."
        zh "失败的尝试次数过多。" "请等待 Retry-After 字段所示的时间后重试。"

    KeysUnavailable NotAvailable
        en "The service cannot check logins at the moment." "Try again in a minute."
        de "Der Dienst kann Anmeldungen zurzeit nicht prüfen." "Versuchen Sie es in einer Minute noch einmal."
        fr "Le service ne peut pas vérifier les connexions pour le moment." "Réessayez dans une minute."
        es "El servicio no puede comprobar los inicios de sesión en este momento." "Vuelva a intentarlo dentro de un minuto."
        zh "服务目前无法验证登录。" "请一分钟后重试。"
    StateUnavailable NotAvailable
        en "The service cannot check logins at the moment." "Try again in a minute."
        de "Der Dienst kann Anmeldungen zurzeit nicht prüfen." "Versuchen Sie es in einer Minute noch einmal."
        fr "Le service ne peut pas vérifier les connexions pour le moment." "Réessayez dans une minute."
        es "El servicio no puede comprobar los inicios de sesión en este momento." "Vuelva a intentarlo dentro de un minuto."
        zh "服务目前无法验证登录。" "请一分钟后重试。"
    Overloaded NotAvailable
        en "The service is busy." "Try again in a few seconds."
        de "Der Dienst ist ausgelastet." "Versuchen Sie es in einigen Sekunden noch einmal."
        fr "Le service est très sollicité." "Réessayez dans quelques secondes."
        es "El servicio está ocupado." "Vuelva a intentarlo dentro de unos segundos."
        zh "服务繁忙。" "请过几秒钟再试。"
    PolicyMissing NotAvailable
        en "The service is not set up yet." "Try again later."
        de "Der Dienst ist noch nicht eingerichtet." "Versuchen Sie es später noch einmal."
        fr "Le service n’est pas encore configuré." "Réessayez plus tard."
        es "El servicio todavía no está configurado." "Vuelva a intentarlo más tarde."
        zh "服务尚未配置完成。" "请稍后重试。"
    Internal OurFault
        en "Something went wrong in the service." "Try again; if it stays, tell support the id."
        de "Im Dienst ist ein Fehler aufgetreten." "Versuchen Sie es noch einmal; bleibt es dabei, nennen Sie dem Support die Kennung."
        fr "Un problème est survenu dans le service." "Réessayez\u{202f}; si cela persiste, communiquez l’identifiant à l’assistance."
        es "Se ha producido un error en el servicio." "Vuelva a intentarlo; si continúa, indique el identificador al servicio de asistencia."
        zh "服务出现了问题。" "请重试；如果问题依旧，请把编号告诉技术支持。"
}
